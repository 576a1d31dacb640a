"""The figures of an evaluation: shares with intervals, kappa, calibration, latency."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.risk import Level
from sanad_screen.labels import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_screen.evaluation.labelled import Labelled

__all__ = [
    "LEVELS",
    "RATES",
    "Finding",
    "Share",
    "at_false_positives",
    "calibration",
    "confusion",
    "kappa",
    "micro_f1",
    "share",
]

RATES = (0.01, 0.02, 0.05)  # fixed false-positive rates at which recall is given


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a detector said of one row.

    Args:
        level: the highest.
        score: from 0 (calm) to 5: the level's rank and its probability, so that rows can be ranked.
        kind: of the highest.
        subject: of the highest.
        conditions: all that were found.
        sentiment: None: nothing was said.
        milliseconds: what it took.
        failed: whether the detector gave nothing.
    """

    level: Level
    score: float
    kind: str | None = None
    subject: str | None = None
    conditions: frozenset[str] = frozenset()
    sentiment: str | None = None
    milliseconds: float = 0.0
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Hits of a total, with the 95% Wilson interval (Wilson 1927)."""

    hits: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.hits / self.total if self.total else 0.0

    def __str__(self) -> str:
        if not self.total:
            return "none there"
        return f"{self.hits}/{self.total} = {self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def share(found: Iterable[bool]) -> Share:
    """How many of these are true."""
    from scipy.stats import binomtest

    values = list(found)
    if not values:
        return Share(hits=0, total=0, low=0.0, high=1.0)
    interval = binomtest(sum(values), len(values)).proportion_ci(method="wilson")
    return Share(
        hits=sum(values), total=len(values), low=float(interval.low), high=float(interval.high)
    )


def at_false_positives(
    rows: Sequence[Labelled], found: Sequence[Finding], least: Level, rate: float
) -> tuple[Share, Share]:
    """Recall where so many of the calm rows would be reported.

    Args:
        rows: the labelled rows.
        found: what was found, in their order.
        least: rows labelled so or higher are to be found.
        rate: the share of rows labelled none that may be reported, 0 to 1.

    Returns:
        The recall, and the share of calm rows that its threshold reports.
    """
    calm = sorted(
        (f.score for r, f in zip(rows, found, strict=True) if r.level is Level.NONE), reverse=True
    )
    # The lowest threshold that at most so many calm rows pass.
    allowed = int(rate * len(calm))
    bar = calm[allowed] if allowed < len(calm) else -1.0
    hits = [f.score > bar for r, f in zip(rows, found, strict=True) if r.least >= least]
    return share(hits), share(score > bar for score in calm)


def kappa(
    rows: Sequence[Labelled], found: Sequence[Finding], top: Level = Level.IMMINENT
) -> float | None:
    """Quadratic weighted kappa of the level (Cohen 1968), for rows whose level is known.

    Args:
        rows: the labelled rows.
        found: what was found.
        top: the highest level that the labels know; a higher finding counts as this.

    Returns:
        None where there is nothing to agree on.
    """
    from sklearn.metrics import cohen_kappa_score

    pairs = [
        (r.level.rank, min(f.level.rank, top.rank))
        for r, f in zip(rows, found, strict=True)
        if r.level is not None
    ]
    truth, said = zip(*pairs, strict=True) if pairs else ((), ())
    if len({*truth, *said}) < 2:
        return None
    ranks = list(range(len(LEVELS)))  # a level that nobody used still has its distance
    return float(cohen_kappa_score(truth, said, labels=ranks, weights="quadratic"))


def confusion(rows: Sequence[Labelled], found: Sequence[Finding]) -> list[list[int]]:
    """How often each labelled level (row) was found as each level (column)."""
    table = [[0] * len(LEVELS) for _ in LEVELS]
    for row, finding in zip(rows, found, strict=True):
        if row.level is not None:
            table[row.level.rank][finding.level.rank] += 1
    return table


def calibration(
    rows: Sequence[Labelled], found: Sequence[Finding], bins: int = 10
) -> list[tuple[float, float, int]]:
    """Stated probability of any risk, the share that had it, and how many, by tenth.

    Of findings up to `low`: of a higher one the detector states how likely that level is.
    """
    groups: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for row, finding in zip(rows, found, strict=True):
        stated = min(1.0, finding.score - finding.level.rank)
        if finding.level <= Level.LOW:
            place = min(bins - 1, int(stated * bins))
            groups[place].append((stated, row.least > Level.NONE))
    return [
        (statistics.fmean(p for p, _ in group), statistics.fmean(t for _, t in group), len(group))
        for group in groups
        if group
    ]


def micro_f1(rows: Sequence[Labelled], found: Sequence[Finding]) -> float | None:
    """Micro-averaged F1 of the conditions, over the rows whose conditions are known.

    Returns:
        None where no row says anything about conditions.
    """
    both = wrong = missed = 0
    known = [(r, f) for r, f in zip(rows, found, strict=True) if r.conditions is not None]
    for row, finding in known:
        wanted = set(row.conditions or ())
        both += len(wanted & finding.conditions)
        wrong += len(finding.conditions - wanted)
        missed += len(wanted - finding.conditions)
    return 2 * both / max(1, 2 * both + wrong + missed) if known else None
