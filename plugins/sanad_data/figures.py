"""How many conversations there are, how long, about what, from where, read by whom."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanad_core.problems import Problem
from sanad_core.risk import CONDITIONS
from sanad_data.facts import Facts, Rows, facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sanad_data.talks import Talk

__all__ = ["Figures", "Gathered", "as_json", "gather"]

MOST = 20  # wrong lines that are named
TOPICS = 20  # topics that are listed, the most frequent ones
PERCENTILES = (5, 50, 95, 100)


@dataclass(slots=True)
class Figures:
    """Counts of conversations; sources are counted with their licence."""

    conversations: int = 0
    pairs: int = 0
    turns: array[int] = field(default_factory=lambda: array("I"))
    words: array[int] = field(default_factory=lambda: array("I"))
    person: array[int] = field(default_factory=lambda: array("I"))
    supporter: array[int] = field(default_factory=lambda: array("I"))
    groups: set[int] = field(default_factory=set)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    topics: Counter[str] = field(default_factory=Counter)
    conditions: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    crisis: Counter[bool | None] = field(default_factory=Counter)
    with_conditions: int = 0
    reviewed: int = 0
    reviewers: set[str] = field(default_factory=set)

    def add(self, known: Facts, talk: Talk) -> None:
        """Count one more.

        Args:
            known: what is known of it.
            talk: the conversation.
        """
        from sanad_data.alike import digest

        self.conversations += 1
        self._measure(known)
        self.groups |= {digest(talk.group)} if talk.group else set()
        self.sources[talk.source, talk.licence.strip()] += 1
        self.topics[talk.topic] += bool(talk.topic)
        self.conditions.update(set(talk.conditions))
        self.languages[known.language] += 1
        self.crisis[talk.crisis] += 1
        self.with_conditions += bool(talk.conditions)
        self.reviewed += bool(talk.reviewed_by)
        self.reviewers.update(talk.reviewed_by)

    def _measure(self, known: Facts) -> None:
        self.pairs += known.pairs
        self.turns.append(len(known.person) + len(known.supporter))
        self.words.append(sum(known.person) + sum(known.supporter))
        self.person.extend(known.person)
        self.supporter.extend(known.supporter)


@dataclass(slots=True)
class Gathered:
    """Files as they were read.

    Args:
        files: their paths.
        whole: figures of all of them.
        parts: figures of each, in the files' order.
        rows: what conversations are compared by.
        wrong: how many lines are no conversation.
        problems: what is wrong with the first of these.
    """

    files: tuple[Path, ...]
    whole: Figures
    parts: tuple[Figures, ...]
    rows: Rows = field(default_factory=Rows)
    wrong: int = 0
    problems: list[Problem] = field(default_factory=list)

    def place(self, row: int) -> str:
        """Where a row stands: its file's name and its line."""
        return f"{self.files[self.rows.files[row]].name}:{self.rows.lines[row]}"


def gather(
    files: Sequence[Path],
    *,
    compared: bool = True,
    workers: int | None = None,
    ray: str | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Gathered:
    """Read files, and count what is in them.

    Args:
        files: of conversations.
        compared: whether their rows are to be compared.
        workers: processes; None: one for each core.
        ray: the address of a cluster that works instead.
        tell: is told of each line that is done.

    Raises:
        ContentError: a file cannot be read.
    """
    found = Gathered(tuple(files), Figures(), tuple(Figures() for _ in files))
    for known in facts(files, compared=compared, workers=workers, ray=ray):
        tell(1)
        if known.talk is None:
            _refuse(found, known)
            continue
        found.whole.add(known, known.talk)
        found.parts[known.file].add(known, known.talk)
        if compared:
            found.rows.add(known, known.talk)
    return found


def _refuse(found: Gathered, known: Facts) -> None:
    found.wrong += 1
    if len(found.problems) < MOST:
        file = str(found.files[known.file])
        found.problems.append(Problem(file=file, line=known.line, column=1, message=known.problem))


def as_json(figures: Figures) -> dict[str, Any]:
    """Every figure, as it stands in reports."""
    crisis = figures.crisis
    return {
        "conversations": figures.conversations,
        "pairs": figures.pairs,
        "turns": sum(figures.turns),
        "groups": len(figures.groups),
        "reviewed": figures.reviewed,
        "reviewers": len(figures.reviewers),
        "crisis": {"yes": crisis[True], "no": crisis[False], "nobody looked": crisis[None]},
        "sources": [
            {"source": source, "licence": licence, "conversations": count}
            for (source, licence), count in figures.sources.most_common()
        ],
        "conditions": {name: figures.conditions[name] for name in CONDITIONS}
        | {"none named": figures.conversations - figures.with_conditions},
        "topics": {name: count for name, count in figures.topics.most_common(TOPICS) if count},
        "languages": dict(figures.languages.most_common()),
        "length": {
            "turns of a conversation": _percentiles(figures.turns),
            "words of a conversation": _percentiles(figures.words),
            "words of a person's turn": _percentiles(figures.person),
            "words of a supporter's turn": _percentiles(figures.supporter),
        },
    }


def _percentiles(values: array[int]) -> dict[str, int]:
    """The 5th, 50th and 95th percentile and the highest; nothing of nothing."""
    import numpy as np

    if not values:
        return {}
    found = np.percentile(np.asarray(values), PERCENTILES, method="nearest")
    return dict(zip(("p5", "median", "p95", "longest"), map(int, found), strict=True))
