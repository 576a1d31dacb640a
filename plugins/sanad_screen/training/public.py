"""Public sets that may train shipped weights, read into rows; see the corpus's data card."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

from sanad_screen.labels import EMOTIONS, SEVERITY
from sanad_screen.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["MEASURED", "SETS", "calm_only", "measured_texts", "read_public"]

_GOOD = {
    "admiration", "amusement", "approval", "caring", "excitement", "gratitude", "joy", "love",
    "optimism", "pride", "relief",
}  # fmt: skip
_BAD = {
    "anger", "annoyance", "disappointment", "disapproval", "disgust", "embarrassment", "fear",
    "grief", "nervousness", "remorse", "sadness",
}  # fmt: skip


def _goemotions(folder: Path) -> Iterator[Row]:
    names = (folder / "original_labels.txt").read_text(encoding="utf-8").split()
    with (folder / "original_train.tsv").open(encoding="utf-8") as file:
        for number, line in enumerate(_tsv(file)):
            found = {names[int(one)] for one in line[1].split(",")}
            # A third of the comments are called neutral, many of them for want of a better word.
            known = found != {"neutral"} or number % 4 == 0
            yield Row(
                id=f"goemotions-{line[2]}",
                text=line[0],
                level="none",
                sentiment=_sentiment(found) if known else None,
                emotions=[name for name in EMOTIONS if name in found],
                hand="goemotions",
            )


def _tsv(file: Iterable[str]) -> Iterator[list[str]]:
    yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def _sentiment(emotions: set[str]) -> Any:
    good, bad = bool(emotions & _GOOD), bool(emotions & _BAD)
    if good != bad:
        return "positive" if good else "negative"
    return "neutral" if emotions == {"neutral"} else None


def _suicidewatch(folder: Path) -> Iterator[Row]:
    for line in (folder / "dev.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        level = SEVERITY[int(data["severity_human"])]
        at_risk = level != "none"
        yield Row(
            id=f"suicidewatch-{data['id']}",
            text=data["text"],
            level=level,  # type: ignore[arg-type]
            kind="suicide" if at_risk else None,
            subject="self" if at_risk else None,
            hand="suicidewatch",
        )


def _clinc(folder: Path) -> Iterator[Row]:
    data = json.loads((folder / "data_full.json").read_text(encoding="utf-8"))
    for part in ("train", "val"):
        for number, (text, _) in enumerate(data[part]):
            yield Row(id=f"clinc-{part}-{number}", text=text, level="none", hand="clinc150")


def _banking(folder: Path) -> Iterator[Row]:
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        for number, line in enumerate(csv.DictReader(file)):
            text = " ".join(line["text"].split())
            yield Row(id=f"banking-{number}", text=text, level="none", hand="banking77")


SETS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "goemotions": _goemotions,
    "suicidewatch_cssrs": _suicidewatch,
    "clinc150": _clinc,
    "banking77": _banking,
}


def read_public(folder: Path, names: tuple[str, ...] = tuple(SETS)) -> dict[str, list[Row]]:
    """The rows of each public set that is there.

    Args:
        folder: holds one folder per set, under the names of SETS.
        names: which sets to read.
    """
    return {name: list(SETS[name](folder / name)) for name in names if (folder / name).is_dir()}


# Comments on anything hold risk now and then; what looks like it has no known level.
_RISKY = re.compile(
    r"\b(suicid\w*|kill(ing|ed)? (my|him|her|them|your)sel\w+|kms|want to die|wanna die|"
    r"wish i was dead|end (it|my life)|self.?harm\w*|cut(ting)? myself|od'?d|overdos\w+|"
    r"off(ed|ing)? (my|him|her)self|dead inside|hang (my|him|your)self|jump off|rap(ed|e)|"
    r"abus\w+|beat (me|her)|hit me)\b",
    re.IGNORECASE,
)


def calm_only(rows: Iterable[Row]) -> list[Row]:
    """Rows whose level is taken to be none only where no word speaks against it."""
    return [
        row.model_copy(update={"level": None})
        if row.level == "none" and _RISKY.search(row.text)
        else row
        for row in rows
    ]


# Sets that only measure: nothing near to one of their rows may train.
MEASURED = ("everyday_negatives/dev.jsonl", "ellis_crisis/llm_labelled_dev.jsonl")


def measured_texts(folder: Path) -> list[str]:
    """The texts of the sets that only measure, to keep their near-duplicates out of training."""
    texts = []
    for name in MEASURED:
        path = folder / name
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines()
            texts += [str(json.loads(line)["text"]) for line in lines]
    sentences = folder / "sst2" / "dev.tsv"
    if sentences.is_file():
        with sentences.open(encoding="utf-8") as file:
            texts += [line[0] for line in _tsv(file)]
    clinc = folder / "clinc150" / "data_full.json"
    if clinc.is_file():
        data = json.loads(clinc.read_text(encoding="utf-8"))
        parts = ("test", "oos_train", "oos_val", "oos_test")
        texts += [text for part in parts for text, _ in data[part]]
    return texts
