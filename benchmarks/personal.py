"""Measures `sanad data scrub` beside stock Presidio, both over the same spaCy model, in one run.

Run `python benchmarks/personal.py FOLDER`; it holds `presidio_research/synth_dataset_v2.json`. The
chat messages are the tests' own: those the recognisers were written against, and those they were
not. Of the public set, the texts with an even index (0, 2, …) were looked at to find mistakes to
mend; those with an odd index were not, and are printed by themselves as the half held out. The set
is made from templates that both halves share, so that the half held out says less than new texts
would. To the unseen messages nothing is tuned.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from sanad_data.personal.reading import model_name
from sanad_data.personal.scrubber import Scrubber
from sanad_screen.evaluation.measure import share

MESSAGES = Path(__file__).resolve().parent.parent / "tests" / "personal"
MARK = re.compile(r"\{([A-Z]+)\|([^}]*)\}")
# What the public set calls the types of docs; the rest of its types is no personal data there:
# a country, an ordinary date, an age under 90, a nationality, a title.
TYPES = {
    "PERSON": "PERSON",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "STREET_ADDRESS": "ADDRESS",
    "ZIP_CODE": "ADDRESS",
    "CREDIT_CARD": "BANK",
    "IBAN_CODE": "BANK",
    "US_SSN": "ID",
    "US_DRIVER_LICENSE": "ID",
    "DOMAIN_NAME": "URL",
    "IP_ADDRESS": "IP",
    "ORGANIZATION": "ORG",
    "AGE": "AGE",
}
# A finding of one of these in a date or an age is neither right nor wrong: the set does not say
# whether a date is of birth.
UNTOLD = {"DATE_TIME": "DOB", "AGE": "AGE"}
STOCK = {
    "PERSON": "PERSON",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "LOCATION": "ADDRESS",
    "CREDIT_CARD": "BANK",
    "IBAN_CODE": "BANK",
    "US_BANK_NUMBER": "BANK",
    "US_SSN": "ID",
    "US_DRIVER_LICENSE": "ID",
    "US_PASSPORT": "ID",
    "US_ITIN": "ID",
    "UK_NHS": "ID",
    "URL": "URL",
    "IP_ADDRESS": "IP",
    "ORGANIZATION": "ORG",
}
# What stands between the parts of an address; before a line of quoted mail there is a mark, too
# (in this set ">", or "???" where one was garbled), and the lines are one address all the same.
BETWEEN = re.compile(r"(?<=\n)[>?|]{1,3}\s?|[\s,.-]|\b[A-Z]{2}\b")
HEAD = "| | F | F without ORG | precision | recall | direct, their type | direct, hidden | ms |"
INDIRECT = ("ORG", "AGE", "GEO")  # every other type names somebody by itself
SAME = 0.5  # of what two spans cover together that they share, to count as the same
HIDDEN = 0.9  # of a span that must be covered, to count as hidden


class Part(NamedTuple):
    """A span and its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text with what is personal in it, and where nobody can say."""

    text: str
    parts: list[Part]
    untold: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Score:
    """Counts by type."""

    right: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    hidden: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=Path("../shared/data"))
    parser.add_argument("--misses", action="store_true", help="print what is got wrong")
    options = parser.parse_args()
    sets = {name: messages(MESSAGES / f"{name}.txt") for name in ("tuned", "unseen")}
    public = options.data / "presidio_research" / "synth_dataset_v2.json"
    if public.is_file():
        texts = synthetic(public)
        sets["presidio_research"] = texts
        sets["presidio_research, the half looked at"] = texts[0::2]
        sets["presidio_research, the half held out"] = texts[1::2]
    finders = {"sanad data scrub": ours(), "stock Presidio": stock(places=True)}
    finders["stock, no LOCATION"] = stock(places=False)
    for name, texts in sets.items():
        print(f"\n{name}: {len(texts)} texts, {sum(len(t.parts) for t in texts)} spans")
        print(HEAD)
        print("|---|---|---|---|---|---|---|---|")
        for finder, find in finders.items():
            began = time.perf_counter()
            score = scored(texts, find, misses=options.misses and finder.startswith("sanad"))
            spent = (time.perf_counter() - began) / len(texts) * 1000
            print(f"| {finder} | {summary(score)} | {spent:.1f} |")
            if finder.startswith("sanad"):
                ours_by_type = by_type(score)
        print("\n".join(ours_by_type))


def messages(path: Path) -> list[Text]:
    """Messages that are marked up as `{TYPE|text}`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [unmarked(line) for line in lines if line and not line.startswith("#")]


def unmarked(line: str) -> Text:
    """A message without its marks, and where they were."""
    text, parts, last = "", [], 0
    for found in MARK.finditer(line):
        text += line[last : found.start()]
        parts.append(Part(len(text), len(text) + len(found[2]), found[1]))
        text += found[2]
        last = found.end()
    return Text(text + line[last:], parts)


def synthetic(path: Path) -> list[Text]:
    """Presidio's synthetic set, its types as ours."""
    return [_synthetic(row) for row in json.loads(path.read_text(encoding="utf-8"))]


def _synthetic(row: dict[str, Any]) -> Text:
    parts, untold = [], []
    for span in _whole_addresses(row):
        kind, start, end = span["entity_type"], span["start_position"], span["end_position"]
        young = kind == "AGE" and not (
            span["entity_value"].isdigit() and int(span["entity_value"]) >= 90
        )
        if kind in TYPES and not young:
            parts.append(Part(start, end, TYPES[kind]))
        elif kind in UNTOLD:
            untold.append(Part(start, end, UNTOLD[kind]))
    return Text(row["full_text"], parts, untold)


def _whole_addresses(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The spans, an address as one: the set marks street, flat, town and code of some apart."""
    joined: list[dict[str, Any]] = []
    for span in sorted(row["spans"], key=lambda span: span["start_position"]):
        last = joined[-1] if joined else span
        between = row["full_text"][last["end_position"] : span["start_position"]]
        kinds = {last["entity_type"], span["entity_type"]}
        placed = kinds <= {"STREET_ADDRESS", "ZIP_CODE", "GPE"} and not BETWEEN.sub("", between)
        if joined and placed:
            kind = "GPE" if kinds == {"GPE"} else "STREET_ADDRESS"
            joined[-1] = last | {"entity_type": kind, "end_position": span["end_position"]}
        else:
            joined.append(span)
    return joined


def ours() -> Callable[[str], list[Part]]:
    """What Sanad finds."""
    scrubber = Scrubber()
    return lambda text: [Part(s.start, s.end, s.type) for s in scrubber.find(text)]


def stock(*, places: bool) -> Callable[[str], list[Part]]:
    """What Presidio finds as it comes, with the same spaCy model."""
    import logging

    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)
    model = {"lang_code": "en", "model_name": model_name()}
    models = {"nlp_engine_name": "spacy", "models": [model]}
    engine = NlpEngineProvider(nlp_configuration=models).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])

    def find(text: str) -> list[Part]:
        found = [
            (r.score, Part(r.start, r.end, STOCK[r.entity_type]))
            for r in analyzer.analyze(text, "en")
            if r.entity_type in STOCK and (places or r.entity_type != "LOCATION")
        ]
        kept: list[Part] = []
        for _, part in sorted(found, key=lambda item: (-item[0], item[1].start - item[1].end)):
            if not any(part.start < other.end and other.start < part.end for other in kept):
                kept.append(part)
        return kept

    return find


def scored(texts: Iterable[Text], find: Callable[[str], list[Part]], *, misses: bool) -> Score:
    """Compare what is found with what is there."""
    score = Score()
    for text in texts:
        found = find(text.text)
        for part in text.parts:
            score.there[part.type] += 1
            same = [f for f in found if f.type == part.type and likeness(f, part) >= SAME]
            score.right[part.type] += bool(same)
            score.exact[part.type] += part in same
            score.hidden[part.type] += covered(part, found) >= HIDDEN
            if misses and not same:
                print("missed", part.type, repr(text.text[part.start : part.end]), file=sys.stderr)
        for f in found:
            if not any(f.type == p.type and likeness(f, p) >= SAME for p in text.parts) and not any(
                f.type == p.type and f.start < p.end and p.start < f.end for p in text.untold
            ):
                score.wrong[f.type] += 1
                if misses:
                    print("wrong", f.type, repr(text.text[f.start : f.end]), file=sys.stderr)
    return score


def likeness(one: Part, other: Part) -> float:
    """How much of what two spans cover they share."""
    both = min(one.end, other.end) - max(one.start, other.start)
    return max(0, both) / (max(one.end, other.end) - min(one.start, other.start))


def covered(part: Part, found: Iterable[Part]) -> float:
    """How much of a span is covered by findings of any type."""
    over = (max(0, min(f.end, part.end) - max(f.start, part.start)) for f in found)
    return sum(over) / (part.end - part.start)


def summary(score: Score) -> str:
    """A row of the table."""
    kinds = list(score.there | score.wrong)
    direct = [kind for kind in kinds if kind not in INDIRECT]
    f_all, precision, recall = rates(score, kinds)
    f_some, _, _ = rates(score, [kind for kind in kinds if kind != "ORG"])
    told = share(_verdicts(score.right, score.there, direct))
    hidden = share(_verdicts(score.hidden, score.there, direct))
    return f"{f_all:.3f} | {f_some:.3f} | {precision:.3f} | {recall:.3f} | {told} | {hidden}"


def rates(score: Score, kinds: Iterable[str]) -> tuple[float, float, float]:
    """F, precision and recall over some types."""
    kinds = list(kinds)
    right = sum(score.right[kind] for kind in kinds)
    there = sum(score.there[kind] for kind in kinds)
    found = right + sum(score.wrong[kind] for kind in kinds)
    precision, recall = right / max(found, 1), right / max(there, 1)
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


def _verdicts(hits: Counter[str], there: Counter[str], kinds: list[str]) -> list[bool]:
    right, total = sum(hits[kind] for kind in kinds), sum(there[kind] for kind in kinds)
    return [True] * right + [False] * (total - right)


def by_type(score: Score) -> list[str]:
    """Rows of what Sanad finds, by type."""
    rows = ["", "| type | there | found | exactly | hidden | wrong |", "|---|---|---|---|---|---|"]
    for kind in sorted(score.there | score.wrong):
        counts = (score.there, score.right, score.exact, score.hidden, score.wrong)
        rows.append(f"| {kind} | " + " | ".join(str(count[kind]) for count in counts) + " |")
    return rows


if __name__ == "__main__":
    main()
