"""Judges what was found: whether it is meant, about whom, and when.

The words around a finding decide: an idiom over it, a negation before it, somebody else as the
subject, a time long ago, talk of a game or a song. Each of these is itself an entry of the lexicon,
so that a clinician can read and change it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sanad_core.risk import Level, Subject
from sanad_core.types import Evidence, Signal
from sanad_lexicon.content import REPORTED
from sanad_lexicon.normalise import STOP
from sanad_lexicon.patterns import AROUND, LONGEST_TERM

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sanad_lexicon.content import Entry, Language
    from sanad_lexicon.normalise import Words
    from sanad_lexicon.patterns import Match

__all__ = ["judge"]

NEGATION_REACH = 3  # words between a negation and what it takes back
LONG = 60  # words and ends of sentences, beyond which no message is short
SHORT_WORDS = 8  # of a message in which a yes or a greeting is what it is about
MOST_EVIDENCE = 20
TALK = "talk"


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
            if len(known.evidence) >= MOST_EVIDENCE:
                continue
            evidence = tuple(dict.fromkeys((*known.evidence, *signal.evidence)))
            signal = replace(known, evidence=evidence)
        signals[key] = signal
    return list(signals.values())


def _placed(language: Language, words: Words, matches: Iterable[Match]) -> list[_Found]:
    stops = [place for place, word in enumerate(words.words) if word == STOP]
    unique = dict.fromkeys(matches)
    return [
        _Found(language.entries[m.entry], m.first, m.last, bisect_left(stops, m.first))
        for m in unique
    ]


class _Around:
    """Findings that change how others are read, by role and sentence, in the order of the words."""

    def __init__(self, found: Sequence[_Found]) -> None:
        self._by_role: dict[tuple[str, int], list[_Found]] = {}
        for item in sorted(found, key=lambda item: item.first):
            self._by_role.setdefault((item.entry.role, item.sentence), []).append(item)
        self._sentences: dict[str, frozenset[int]] = {}

    def has(self, role: str, sentence: int) -> bool:
        """Whether the sentence has one."""
        return (role, sentence) in self._by_role

    def near(self, role: str, sentence: int) -> bool:
        """In this sentence, the one before or the one after."""
        return any(self.has(role, sentence + step) for step in (0, -1, 1))

    def between(self, role: str, sentence: int, first: int, last: int) -> Sequence[_Found]:
        """Those that begin from word `first` to word `last`."""
        items = self._by_role.get((role, sentence), [])
        begin = bisect_left(items, first, key=_first)
        return items[begin : bisect_right(items, last, key=_first)]

    def before(self, role: str, sentence: int, last: int) -> _Found | None:
        """The last that begins at word `last` or before it."""
        items = self._by_role.get((role, sentence), [])
        place = bisect_right(items, last, key=_first)
        return items[place - 1] if place else None

    def past(self, item: _Found) -> bool:
        """Whether a finding is told of a time that is over: the nearest word of time decides.

        "He choked me last night, we met years ago" is told of last night.
        """
        then, now = self._gap("past", "present", item), self._gap("present", "past", item)
        return then is not None and (now is None or then < now)

    def _gap(self, role: str, against: str, item: _Found) -> int | None:
        """How many words lie between a finding and the nearest of a role in its sentence.

        Where two words of time share a word, the longer one is meant: "in the past" "hour".
        """
        items = self._by_role.get((role, item.sentence), [])
        place = bisect_right(items, item.first, key=_first)
        # Those that begin nearest, so that a message of nothing but words of time is read in time.
        near = items[max(0, place - 2) : place + 2]
        kept = (
            other
            for other in near
            if all(_length(it) <= _length(other) for it in _over(other, against, self))
        )
        return min((_between(item, other) for other in kept), default=None)

    def over(self, sentence: int) -> bool:
        """Whether what a sentence tells as past is over: told from a firm present.

        A settled life, with children and a dog, says so of what was long ago and not of last year.
        """
        if self.told("recovered", sentence):
            return True
        return not self.has("recent", sentence) and self.told("settled", sentence)

    def told(self, role: str, sentence: int) -> bool:
        """Whether a role is near a sentence; "not glad to be alive" tells of no recovery."""
        return any(sentence + step in self._upheld(role) for step in AROUND)

    def _upheld(self, role: str) -> frozenset[int]:
        """Sentences in which a role stands that no negation before it takes back.

        A negation among its own words belongs to it: "not thought of it in years".
        """
        if role not in self._sentences:
            self._sentences[role] = frozenset(
                sentence
                for (name, sentence), items in self._by_role.items()
                if name == role
                for item in items
                if not any(other.last < item.first for other in _denials(item, self, item.first))
            )
        return self._sentences[role]


def _first(item: _Found) -> int:
    return item.first


def _length(item: _Found) -> int:
    return item.last - item.first


def _between(one: _Found, other: _Found) -> int:
    """The words between two findings; none where they share some."""
    return max(0, other.first - one.last - 1, one.first - other.last - 1)


def _signal(item: _Found, around: _Around, words: Words) -> Signal | None:
    entry = item.entry
    if entry.role not in REPORTED:
        return None
    if _idiomatic(item, around):
        return None
    if (entry.short or entry.whole) and not _fits(item, words):
        return None
    if entry.denied and _negated(item, around):
        return None
    if entry.loose and _played(item, around):
        return None
    # Somebody's words, in a song, a film or a lesson: not the person's own.
    if words.quoted(item.first) and around.near("context", item.sentence):
        return None
    evidence = Evidence(start=words.start(item.first), end=words.end(item.last), why=entry.id)
    if entry.role != "risk":
        return Signal(kind=entry.role, label=entry.kind, score=0.7, evidence=(evidence,))
    level = _level(item, around)
    if level is Level.NONE:
        return Signal(kind="history", label=entry.kind, score=0.7, evidence=(evidence,))
    return Signal(
        kind="risk",
        label=entry.kind,
        score=_SCORES[level],
        level=level,
        subject=_subject(item, around, words),
        evidence=(evidence,),
    )


# How sure a matched term makes us, by what it says; stated by hand, calibrated on nothing.
_SCORES = {Level.LOW: 0.6, Level.MODERATE: 0.75, Level.HIGH: 0.9, Level.IMMINENT: 0.95}


def _fits(item: _Found, words: Words) -> bool:
    """Whether the message is as short as an entry wants it: little more than what was found."""
    if len(words.words) > LONG:
        return False
    count = len(words.words) - words.words.count(STOP)
    if item.entry.whole:
        return count == item.last - item.first + 1
    return count <= SHORT_WORDS


def _idiomatic(item: _Found, around: _Around) -> bool:
    """Whether an idiom covers the finding: "this exam is killing me".

    It hides risks and conditions: "work is killing me" is still about work. One of the kind `talk`
    hides the others, and never a risk. "I mean it" beside it says that it is none.
    """
    talk = item.entry.role not in ("risk", "condition")
    if not talk and around.told("meant", item.sentence):
        return False
    return any(talk is (idiom.entry.kind == TALK) for idiom in _over(item, "idiom", around))


def _played(item: _Found, around: _Around) -> bool:
    """Whether the sentence is of a game, a song or a lesson, and nothing says that it is meant."""
    return around.has("context", item.sentence) and not around.told("meant", item.sentence)


def _negated(item: _Found, around: _Around) -> bool:
    """Whether a negation stands just before the finding, or among its words."""
    return any(
        # "Can not stop" denies nothing.
        not any(_over(negation, "affirmed", around))
        for negation in _denials(item, around, item.last)
    )


def _denials(item: _Found, around: _Around, last: int) -> Iterator[_Found]:
    """Negations that end just before a finding or later, and begin at word `last` or before it."""
    reach = item.first - NEGATION_REACH - LONGEST_TERM
    near = around.between("negation", item.sentence, reach, last)
    return (other for other in near if item.first - other.last - 1 <= NEGATION_REACH)


def _over(item: _Found, role: str, around: _Around) -> Iterator[_Found]:
    """Those of a role that share a word with a finding."""
    near = around.between(role, item.sentence, item.first - LONGEST_TERM, item.last)
    return (other for other in near if item.first <= other.last)


def _level(item: _Found, around: _Around) -> Level:
    entry = item.entry
    if entry.past is not None and around.past(item):
        # Told from a firm present it is history; with present distress it counts.
        if around.told("troubled", item.sentence):
            return max(entry.past, min(entry.level, Level.MODERATE))
        return Level.NONE if around.over(item.sentence) else entry.past
    if entry.now != entry.level and around.near("now", item.sentence):
        return max(entry.now, entry.level)
    return entry.level


def _subject(item: _Found, around: _Around, words: Words) -> Subject:
    """Whom a finding is about: the nearest person named before it in the sentence.

    In a quotation "I" is whoever is quoted: anybody named before it.
    """
    other = around.before("other", item.sentence, item.first)
    if other is not None and words.quoted(item.first):
        return Subject.OTHER
    if item.entry.subject is not None:
        return item.entry.subject
    own = around.before("self", item.sentence, item.first)
    nearer = other is not None and (own is None or other.first > own.first)
    return Subject.OTHER if nearer else Subject.SELF
