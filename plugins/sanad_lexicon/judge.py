"""Judges what was found: whether it is meant, about whom, and when.

The words around a finding decide: an idiom over it, a negation before it, somebody else as the
subject, a time long ago, talk of a game or a song. Each of these is itself an entry of the lexicon,
so that a clinician can read and change it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sanad_core.risk import Level, Subject
from sanad_core.types import Evidence, Signal
from sanad_lexicon.normalise import STOP

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_lexicon.content import Entry, Language
    from sanad_lexicon.normalise import Words
    from sanad_lexicon.patterns import Match

__all__ = ["judge"]

NEGATION_REACH = 3  # words between a negation and what it takes back
MOST_EVIDENCE = 20


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry, its words, and the sentence it stands in."""

    entry: Entry
    first: int
    last: int
    sentence: int


def judge(language: Language, words: Words, matches: Iterable[Match]) -> list[Signal]:
    """The signals that the findings of one language make.

    Args:
        language: its entries.
        words: the message.
        matches: terms found in it.

    Returns:
        One signal per entry reported, without a `none` for a message in which nothing is found.
    """
    found = _placed(language, words, matches)
    around = _Around(found)
    signals: dict[tuple[str, str, Level | None, Subject | None], Signal] = {}
    for item in found:
        signal = _signal(item, around, words)
        if signal is None:
            continue
        key = (signal.kind, signal.label, signal.level, signal.subject)
        if key in signals:
            known = signals[key]
            evidence = tuple(dict.fromkeys((*known.evidence, *signal.evidence)))
            signal = replace(known, evidence=evidence[:MOST_EVIDENCE])
        signals[key] = signal
    return list(signals.values())


def _placed(language: Language, words: Words, matches: Iterable[Match]) -> list[_Found]:
    sentences, number = [], 0
    for word in words.words:
        sentences.append(number)
        number += word == STOP
    unique = dict.fromkeys(matches)
    return [_Found(language.entries[m.entry], m.first, m.last, sentences[m.first]) for m in unique]


class _Around:
    """Findings that change how others are read, by sentence."""

    def __init__(self, found: Sequence[_Found]) -> None:
        self._by_role: dict[str, dict[int, list[_Found]]] = {}
        for item in found:
            places = self._by_role.setdefault(item.entry.role, {})
            places.setdefault(item.sentence, []).append(item)

    def of(self, role: str, sentence: int) -> list[_Found]:
        return self._by_role.get(role, {}).get(sentence, [])

    def near(self, role: str, sentence: int) -> bool:
        """In this sentence, the one before or the one after."""
        return any(self.of(role, sentence + step) for step in (0, -1, 1))


def _signal(item: _Found, around: _Around, words: Words) -> Signal | None:
    entry = item.entry
    if entry.role not in ("risk", "condition") or _idiomatic(item, around):
        return None
    if entry.denied and _negated(item, around):
        return None
    if entry.loose and around.of("context", item.sentence):
        return None
    evidence = Evidence(start=words.starts[item.first], end=words.ends[item.last], why=entry.id)
    if entry.role == "condition":
        return Signal(kind="condition", label=entry.kind, score=0.7, evidence=(evidence,))
    level = _level(item, around)
    if level is Level.NONE:
        return Signal(kind="history", label=entry.kind, score=0.7, evidence=(evidence,))
    return Signal(
        kind="risk",
        label=entry.kind,
        score=_SCORES[level],
        level=level,
        subject=_subject(item, around),
        evidence=(evidence,),
    )


# How sure a matched term makes us, by what it says; stated by hand, calibrated on nothing.
_SCORES = {Level.LOW: 0.6, Level.MODERATE: 0.75, Level.HIGH: 0.9, Level.IMMINENT: 0.95}


def _idiomatic(item: _Found, around: _Around) -> bool:
    """Whether an idiom covers the finding: "this exam is killing me"."""
    return _covered(item, around.of("idiom", item.sentence))


def _negated(item: _Found, around: _Around) -> bool:
    """Whether a negation stands just before the finding, or among its words."""
    return any(
        negation.first <= item.last
        and item.first - negation.last - 1 <= NEGATION_REACH
        and not _covered(negation, around.of("affirmed", item.sentence))
        for negation in around.of("negation", item.sentence)
    )


def _covered(item: _Found, others: Iterable[_Found]) -> bool:
    """Whether one of the others stands over it: "can not stop" denies nothing."""
    return any(other.first <= item.last and item.first <= other.last for other in others)


def _level(item: _Found, around: _Around) -> Level:
    entry = item.entry
    if entry.past is not None and around.of("past", item.sentence):
        return entry.past
    if entry.now != entry.level and around.near("now", item.sentence):
        return max(entry.now, entry.level)
    return entry.level


def _subject(item: _Found, around: _Around) -> Subject:
    """Whom a finding is about: the nearest person named before it in the sentence."""
    if item.entry.subject is not None:
        return item.entry.subject
    people = [
        person
        for role in ("other", "self")
        for person in around.of(role, item.sentence)
        if person.first <= item.first
    ]
    nearest = max(
        people, key=lambda person: (person.first, person.entry.role == "self"), default=None
    )
    if nearest is not None and nearest.entry.role == "other":
        return Subject.OTHER
    return Subject.SELF
