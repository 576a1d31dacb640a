"""What a training run is made of: its settings, and the rows that each epoch draws from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from sanad_core.errors import UsageError
from sanad_screen.rows import CORPUS, Row, read_rows
from sanad_screen.training import gather
from sanad_screen.training.fit import Recipe
from sanad_screen.training.gather import Part
from sanad_screen.training.judged import JUDGED, read_judged
from sanad_screen.training.public import SETS, calm_only, measured_texts, read_public

__all__ = ["Rows", "Run", "rows_of"]

EVERYDAY = 0.1  # share of each calm public set that is held out to choose thresholds on
# How many rows of each public set are read, and how many an epoch sees; it draws them anew.
USED = {"goemotions": 16000, "clinc150": 6000, "banking77": 3000, "suicidewatch_cssrs": 793}
DRAWN = {"goemotions": 6000, "clinc150": 2000, "banking77": 900, "suicidewatch_cssrs": 793}
RISKY = ("suicidewatch_cssrs",)  # sets whose calm rows are not everyday ones
# Machine-made rows for each row of the corpus, and the share of them that an epoch sees.
STRETCHED, TALKED, SEEN = 0.6, 0.5, 0.6
TALKS_SEEN = 2  # how often an epoch sees each written conversation
JUDGED_SEEN = 2  # and each public text that was labelled for this project


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is asked of a run.

    Args:
        start: the encoder to start from, a folder or a hub id.
        out: folder that the run is written to.
        rows: labelled files beside the corpus.
        public: folder of public sets.
        leave_out: those of them that do not train.
        corpus: whether the project's own corpus trains.
        own: how often an epoch sees the rows of `rows`.
        only: share of the corpus to use.
        go_on: an earlier run to go on from.
        average: another run: nothing is trained, the mean of both runs' weights is taken.
        false_positives: of the operating point `default`.
        recipe: how to train.
    """

    start: str
    out: Path
    rows: tuple[Path, ...] = ()
    public: Path | None = None
    leave_out: tuple[str, ...] = ()
    corpus: bool = True
    own: float = 1.0
    only: float | None = None
    go_on: Path | None = None
    average: Path | None = None
    false_positives: float = 0.03
    recipe: Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a run.

    Args:
        parts: what an epoch draws from.
        dev: held out to stop early and to calibrate.
        everyday: calm messages of everyday, held out to choose thresholds on.
        talks: calm messages in calm conversations, held out to choose thresholds on.
        digest: of everything in `parts`.
    """

    parts: tuple[Part, ...]
    dev: tuple[Row, ...]
    everyday: tuple[Row, ...]
    talks: tuple[Row, ...]
    digest: str


def rows_of(run: Run, own: Sequence[tuple[str, list[Row]]]) -> Rows:
    """Everything that a run learns from, without what is near to a set that only measures.

    Args:
        run: what is asked.
        own: the rows of each file of `run.rows`, by the file's name.

    Raises:
        ContentError: a file of rows is wrong.
        UsageError: there are too few to learn from.
    """
    chance = Random(run.recipe.seed)
    measured = measured_texts(run.public) if run.public is not None else []
    measured += [r.text for path in sorted(CORPUS.glob("test-*.jsonl")) for r in read_rows(path)]
    train, dev = _corpus(run, measured, chance) if run.corpus else ([], [])
    judged, more = _judged(run, measured)
    parts: list[Part] = []
    if judged:
        parts.append(Part(name="judged", rows=tuple(judged), share=JUDGED_SEEN))
    dev += more
    for name, found in own:
        given, more = gather.held_out(gather.apart(found, measured), by=_text)
        parts.append(Part(name=name, rows=tuple(given), share=run.own))
        dev += more
    public, everyday = _public(run, measured, {row.text for row in (*judged, *more)}, chance)
    parts += public
    if train:
        parts.append(Part(name="corpus", rows=tuple(train)))
    if train or judged:
        parts += _made([*train, *judged], chance)
    _enough([row for part in parts for row in part.rows], "to train on")
    _enough(dev, "held out (one in ten)")
    talks = [row for row in dev if row.context]
    quiet = gather.talked(dev, talks, len(dev), chance) if talks else []
    return Rows(
        parts=tuple(parts),
        dev=tuple(dev),
        everyday=tuple(everyday),
        talks=tuple(row for row in (*quiet, *talks) if row.level == "none"),
        digest=_digest(parts),
    )


def _text(row: Row) -> str:
    return row.text


def _enough(rows: list[Row], which: str) -> None:
    levels = {row.level for row in rows}
    if "none" not in levels or levels <= {"none", None}:
        raise UsageError(
            f"among the {len(rows)} rows {which} there must be some with a level of none and some "
            "with a higher one; add rows, or train with the corpus"
        )


def _corpus(run: Run, measured: list[str], chance: Random) -> tuple[list[Row], list[Row]]:
    """The project's own corpus: rows to train on, and held-out ones."""
    own = [row for path in sorted(CORPUS.glob("train-*.jsonl")) for row in read_rows(path)]
    train, dev = gather.held_out(gather.apart(gather.without_near(own), measured), by=_text)
    if run.only is not None:
        train = chance.sample(train, int(run.only * len(train)))
    return train, dev


def _judged(run: Run, measured: list[str]) -> tuple[list[Row], list[Row]]:
    """Public texts labelled for this project: to train on, and held-out ones of other writers."""
    if run.public is None:
        return [], []
    names = tuple(name for name in JUDGED if name not in run.leave_out)
    rows = gather.apart(gather.without_near(read_judged(run.public, names)), measured)
    return gather.held_out(rows, by=lambda row: row.id.partition("/")[0])


def _public(
    run: Run, measured: list[str], known: set[str], chance: Random
) -> tuple[list[Part], list[Row]]:
    """Public sets to train on, and calm rows of theirs that are held out.

    Args:
        run: what is asked.
        measured: texts that nothing may be near to.
        known: texts that are labelled already.
        chance: draws the rows.
    """
    parts: list[Part] = []
    everyday: list[Row] = []
    names = tuple(name for name in SETS if name not in run.leave_out)
    for name, found in (read_public(run.public, names) if run.public is not None else {}).items():
        found = [row for row in found if row.text not in known]
        used = gather.apart(calm_only(chance.sample(found, min(len(found), USED[name]))), measured)
        if name not in RISKY:
            cut = int(EVERYDAY * len(used))
            everyday += [row for row in used[:cut] if row.level == "none"]
            used = used[cut:]
        parts.append(Part(name=name, rows=tuple(used), share=DRAWN[name] / len(used)))
    return parts, everyday


def _made(train: list[Row], chance: Random) -> list[Part]:
    """The corpus, what is seen more often of it, and what is made of it by machine."""
    calm = [row.text for row in train if row.level == "none"]
    moods = [row for row in train if row.sentiment is not None]
    talks = [row for row in train if row.context]
    longer = gather.stretched(train, calm, int(STRETCHED * len(train)), chance)
    amid = gather.talked(train, talks, int(TALKED * len(train)), chance)
    return [
        Part(name="moods", rows=tuple(moods), share=2),
        Part(name="talks", rows=tuple(talks), share=TALKS_SEEN),
        Part(name="variants", rows=tuple(gather.varied(train, chance)), share=0.4),
        Part(name="stretched", rows=tuple(longer), share=SEEN),
        Part(name="talked", rows=tuple(amid), share=SEEN),
    ]


def _digest(parts: list[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for row in part.rows:
            digest.update(f"{row.text}\0{row.level}\0".encode())
    return digest.hexdigest()
