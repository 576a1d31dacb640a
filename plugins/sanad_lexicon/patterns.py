"""Terms compiled into one graph that reads a message once.

A term moves on by one step per word, all terms of a sentence side by side, so no term can make the
time explode; a message that would cost too much is read up to there, and the reader is told.
terms.py says how a term is written.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING

from sanad_lexicon.automaton import LONGEST_PHRASE, Building, Match, Node, Reading
from sanad_lexicon.normalise import STOP
from sanad_lexicon.terms import TermError, needs_of, parts_of, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sanad_lexicon.terms import Need

__all__ = ["AROUND", "LONGEST_TERM", "Graph", "Match", "Matches", "Place"]

LONGEST_TERM = 40  # words that a term can span, those of its gaps included
LONGEST_PREFIX = 16  # letters of a word* that are looked at
BEGINNING = 400  # words
AROUND = (-1, 0, 1, 2)  # sentences from one with a finding in which words are read that change it
MOST_WORDS = 50_000  # whose steps are kept
MOST_COST = 40_000  # steps of reading: about 40 ms on the machine of docs/benchmarks.md
# In the same unit: a sentence, a term or a match; so many terms are looked at in one step.
WINDOW_COST, MATCH_COST, LOOKED_PER_STEP = 10, 5, 4


class Place(Enum):
    """Where a term is looked for."""

    ANYWHERE = 1
    BEGINNING = 2  # of the message
    BESIDE = 3  # in a sentence with a term of the others in it, and in those of AROUND


@dataclass(slots=True, eq=False)
class _Term:
    """A term, checked; its part of the graph is built when a message first could hold it.

    `needs` are what it cannot do without besides its rarest part, one step of each set; `phrases`
    says whether it has a group with phrases in it.
    """

    entry: int
    parts: Sequence[str]
    place: Place
    phrases: bool = False
    needs: tuple[Need, ...] = ()
    root: Node | None = None


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found; `complete` unless there was more to do than one message may cost."""

    found: list[Match]
    complete: bool


class Graph:
    """All terms of a language.

    A sentence is first asked which terms it could hold: those for which it has a word for every
    part that they need. Most sentences could hold none, and only the others are read.

    Args:
        groups: words of each group.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._groups = groups
        self._terms: list[_Term] = []
        self._steps: dict[str, tuple[str, ...]] = {}
        self._prefixes: set[str] = set()
        self._begun: set[str] = set()  # the first two letters of prefixes
        self._learnt: set[str] = set()
        self._phrases = Node()
        self._memory = _Memory()
        self._index: _Index | None = None
        self._common: Counter[str] = Counter()
        self._phrased: set[str] = set()  # groups with phrases of several words

    def add(self, term: str, entry: int, place: Place = Place.ANYWHERE) -> None:
        """Add a term.

        Args:
            term: as it is written.
            entry: the number of its entry.
            place: where it is looked for.

        Raises:
            TermError: it cannot be read.
        """
        parts = parts_of(term)
        for part in parts:
            if part[0] not in "()|~":
                self.learn(part.removesuffix("?"))
        self._terms += [_Term(entry, part, place) for part in split(parts)]
        self._changed()

    def _changed(self) -> None:
        """What was derived from the terms holds no longer."""
        self._index = None
        self._memory = _Memory()

    def _indexed(self) -> _Index:
        """Terms by the steps of the rarest of their needs."""
        if self._index is None:
            index: _Index = {place: {} for place in Place}
            takes = cache(self._takes)
            for term in self._terms:
                rarest, *needs = needs_of(term.parts, takes, self._common)
                term.needs = tuple(needs)
                term.phrases = any(p.removesuffix("?") in self._phrased for p in term.parts)
                for step in rarest:
                    index[term.place].setdefault(step, []).append(term)
            self._index = index
        return self._index

    def weigh(self, messages: Iterable[Sequence[str]]) -> None:
        """Learn how common words are, so that each term is looked for by its rarest part.

        Args:
            messages: the words of messages as people write them.
        """
        self._common = Counter(
            step for words in messages for step in {s for word in words for s in self._of(word)}
        )
        self._changed()

    def _takes(self, step: str) -> Need:
        """The step, and for a group one word of each phrase that it can be: its rarest."""
        phrases = self._groups[step[1:-1]] if step.startswith("<") else ()
        rarest = (
            min(phrase.split(), key=lambda word: self._common[word])
            for phrase in phrases
            if " " in phrase
        )
        return frozenset((step, *rarest))

    def group(self, name: str) -> Sequence[str]:
        """The words of a group.

        Raises:
            TermError: there is no such group.
        """
        if name not in self._groups:
            raise TermError(f"names a group that is not there: <{name}>")
        return self._groups[name]

    def learn(self, step: str) -> None:
        """Remember which words can take a step.

        Raises:
            TermError: it is a group that is not there, or one with an endless phrase.
        """
        if step in self._learnt:
            return
        self._learnt.add(step)
        if not step.startswith("<"):
            self._learn(step, step)
            return
        for phrase in self.group(step[1:-1]):
            words = phrase.split()
            if len(words) > LONGEST_PHRASE:
                raise TermError(f"uses {step} with a phrase of over {LONGEST_PHRASE} words")
            if len(words) == 1:
                self._learn(phrase, step)
                continue
            self._phrased.add(step)
            node = self._phrases
            for word in words:
                self.learn(word)
                if word not in node.shared:
                    node.shared[word] = Node()
                    node.edges[word] = [node.shared[word]]
                node = node.shared[word]
            node.groups.append(step)

    def _learn(self, word: str, step: str) -> None:
        if word.endswith("*"):
            self._prefixes.add(word)
            self._begun.add(word[:2])
        known = self._steps.get(word, ())
        if step not in known:
            self._steps[word] = (*known, step)

    @property
    def words(self) -> frozenset[str]:
        """Every word that stands in a term."""
        return frozenset(word for word in self._steps if not word.endswith("*"))

    def _learnt_words(self, words: Sequence[str]) -> _Memory:
        """What is known of words, these among them."""
        memory = self._memory
        if len(memory.steps) > MOST_WORDS:
            # A fresh one: another thread may be reading with the old one.
            memory = self._memory = _Memory()
        index = self._indexed()
        for word in set(words).difference(memory.steps):
            steps = self._of(word)
            if not index[Place.ANYWHERE].keys().isdisjoint(steps):
                memory.hot.add(word)
            elif not index[Place.BEGINNING].keys().isdisjoint(steps):
                memory.warm.add(word)
            memory.steps[word] = steps
        return memory

    def _of(self, word: str) -> tuple[str, ...]:
        """The steps that a word can take."""
        if word[:2] not in self._begun:
            return self._steps.get(word, ())
        begun = (f"{word[:size]}*" for size in range(2, min(len(word), LONGEST_PREFIX) + 1))
        by_prefix = [s for key in begun if key in self._prefixes for s in self._steps[key]]
        return tuple(dict.fromkeys((*self._steps.get(word, ()), *by_prefix)))

    def find(self, words: Sequence[str], cost: int = MOST_COST) -> Matches:
        """Every place where a term stands.

        Args:
            words: of a message, with STOP at the end of a sentence.
            cost: the most steps of reading to take.
        """
        memory = self._learnt_words(words)
        # Few words can stand for the rarest part of a term: most sentences are done with here.
        hot, warm = memory.hot, memory.warm
        places = [place for place, word in enumerate(words) if word in hot]
        if warm:
            early = enumerate(words[:BEGINNING])
            places = sorted({*places, *(place for place, word in early if word in warm)})
        windows = _windows(words)
        reader = _Reader(self, words, memory.steps, cost)
        found: dict[int, list[Match]] = {}
        for number in _holding(windows, places):
            begin, end = windows[number]
            where = (Place.ANYWHERE, Place.BEGINNING) if begin < BEGINNING else (Place.ANYWHERE,)
            matches = reader.read(begin, end, where)
            if matches:
                found[number] = matches
        for number in sorted({n + step for n in found for step in AROUND}):
            if 0 <= number < len(windows):
                matches = reader.read(*windows[number], (Place.BESIDE,))
                found[number] = found.get(number, []) + matches
        return Matches([match for n in sorted(found) for match in found[n]], reader.cost >= 0)

    def possible(self, places: Iterable[Place], there: frozenset[str]) -> tuple[list[_Term], int]:
        """The terms looked for in these places that have all they need among some steps.

        Returns:
            The terms, and how many were looked at.
        """
        possible: dict[_Term, None] = {}
        looked = 0
        for place in places:
            by_step = self._indexed()[place]
            for step in by_step.keys() & there:
                looked += len(by_step[step])
                for term in by_step[step]:
                    for need in term.needs:
                        if need.isdisjoint(there):
                            break
                    else:
                        possible[term] = None
        return list(possible), looked

    def reading(self, terms: Iterable[_Term], there: frozenset[str]) -> Reading:
        """A reading of a sentence with these steps for these terms."""
        phrases = self._phrases if any(term.phrases for term in terms) else None
        return Reading([self._built(term) for term in terms], there, phrases)

    def _built(self, term: _Term) -> Node:
        if term.root is None:
            root = Node()
            for node in Building(self, term.parts).build(root):
                node.entries.append(term.entry)
            term.root = root  # whole before another thread can see it
        return term.root


class _Memory:
    """The steps of words met before, and those that can stand for the rarest part of a term.

    `hot` are those of terms that are looked for anywhere, `warm` of those only in the beginning.
    """

    def __init__(self) -> None:
        self.steps: dict[str, tuple[str, ...]] = {STOP: ()}
        self.hot: set[str] = set()
        self.warm: set[str] = set()


_Index = dict[Place, dict[str, list[_Term]]]  # terms by a step that they cannot do without


class _Reader:
    """Reads sentences of one message, as long as there is anything left to spend."""

    def __init__(
        self, graph: Graph, words: Sequence[str], known: Mapping[str, tuple[str, ...]], cost: int
    ) -> None:
        self.graph, self.words, self.known, self.cost = graph, words, known, cost

    def read(self, begin: int, end: int, places: Sequence[Place]) -> list[Match]:
        """What stands in these words, of the terms looked for in these places."""
        if self.cost < 0:
            return []
        steps = [self.known[word] for word in self.words[begin:end]]
        there = frozenset(itertools.chain.from_iterable(steps))
        terms, looked = self.graph.possible(places, there)
        self.cost -= looked // LOOKED_PER_STEP + WINDOW_COST
        if not terms or self.cost < 0:
            return []
        reading = self.graph.reading(terms, there)
        reading.run(begin, steps)
        self.cost -= reading.work + MATCH_COST * (len(terms) + len(reading.matches))
        return reading.matches


_Window = tuple[int, int]


def _windows(words: Sequence[str]) -> list[_Window]:
    """Begin and end of each sentence; an endless one in overlapping pieces."""
    stops = [place for place, word in enumerate(words) if word == STOP]
    windows: list[_Window] = []
    begin = 0
    for end in (*stops, len(words)):
        if end - begin <= 2 * LONGEST_TERM:
            windows.append((begin, end))
        else:
            starts = range(begin, end - LONGEST_TERM, LONGEST_TERM)
            windows += [(start, min(start + 2 * LONGEST_TERM, end)) for start in starts]
        begin = end + 1
    return windows


def _holding(windows: Sequence[_Window], places: Sequence[int]) -> Iterator[int]:
    """The numbers of the windows that hold one of some places."""
    first = 0
    for number, (begin, end) in enumerate(windows):
        first = bisect_left(places, begin, first)
        if first == len(places):
            return
        if places[first] < end:
            yield number
