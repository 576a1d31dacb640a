"""Terms compiled into one graph that reads a message once.

A term moves on by one step per word, all terms of a sentence side by side, so no term can make the
time explode; a message that would cost too much is read up to there, and the reader is told.
terms.py says how a term is written.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanad_lexicon.normalise import STOP
from sanad_lexicon.terms import TermError, needs_of, parts_of, split

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sanad_lexicon.terms import Need

__all__ = ["LONGEST_TERM", "Graph", "Match", "Matches"]

DEFAULT_GAP = 3
LONGEST_TERM = 40  # words that a term can span, those of its gaps included
LONGEST_PREFIX = 16  # letters of a word* that are looked at
MOST_WORDS = 50_000  # whose steps are kept
MOST_COST = 40_000  # about 40 ms of reading on the machine of docs/benchmarks.md
LONGEST_PHRASE = 12  # words of a group's phrase


@dataclass(frozen=True, slots=True)
class Match:
    """A term found: which entry, and its first and last word."""

    entry: int
    first: int
    last: int


@dataclass(slots=True, eq=False)
class _Node:
    """A place between two words of some terms.

    `edges` lead on by a word, a group's single word or a prefix; `calls` by a group's phrase of
    several words, which is read once for all terms; `waits` are the same place with a number of
    other words allowed before the next; `shared` are the edges that terms with one beginning share.
    """

    edges: dict[str, list[_Node]] = field(default_factory=dict)
    calls: dict[str, list[_Node]] = field(default_factory=dict)
    waits: list[tuple[int, _Node]] = field(default_factory=list)
    shared: dict[str, _Node] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Term:
    """A term, checked; its part of the graph is built when a message first could hold it.

    `needs` are what it cannot do without, one step of each set.
    """

    entry: int
    parts: Sequence[str]
    leads: bool
    needs: tuple[Need, ...] = ()
    root: _Node | None = None


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
        self._phrases = _Node()
        self._memory = _Memory({STOP: ()}, set())
        self._index: _Index | None = None
        self._starts: dict[str, set[str]] = {}  # first words of the phrases of a group

    def add(self, term: str, entry: int, *, leads: bool = True) -> None:
        """Add a term.

        Args:
            term: as it is written.
            entry: the number of its entry.
            leads: whether it is found by itself; others are read only in sentences where one that
                leads was found, and in those beside them.

        Raises:
            TermError: it cannot be read.
        """
        parts = parts_of(term)
        for part in parts:
            if part[0] not in "()|~":
                self.learn(part.removesuffix("?"))
        self._terms += [_Term(entry, part, leads) for part in split(parts)]
        self._index = None

    def _indexed(self) -> _Index:
        """Terms by the steps of the rarest of their needs."""
        if self._index is None:
            common = Counter(part.removesuffix("?") for t in self._terms for part in t.parts)
            index = _Index({}, {})
            for term in self._terms:
                term.needs = tuple(self._takes(n) for n in needs_of(term.parts, common))
                by_step = index.leading if term.leads else index.others
                for step in term.needs[0]:
                    by_step.setdefault(step, []).append(term)
            self._index = index
        return self._index

    def _takes(self, need: Need) -> Need:
        """The need, with the first words of phrases that a group in it can be."""
        return need.union(*(self._starts[step] for step in need if step in self._starts))

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
            self._starts.setdefault(step, set()).add(words[0])
            node = self._phrases
            for word in words:
                self.learn(word)
                if word not in node.shared:
                    node.shared[word] = _Node()
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
            memory = self._memory = _Memory({STOP: ()}, set())
        leading = self._indexed().leading
        for word in set(words).difference(memory.steps):
            steps = self._of(word)
            if not leading.keys().isdisjoint(steps):
                memory.hot.add(word)
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
            cost: the most words to read, each counted once for every term read for.
        """
        index = self._indexed()
        memory = self._learnt_words(words)
        # Few words can stand for the rarest part of a term: most sentences are done with here.
        hot = [place for place, word in enumerate(words) if word in memory.hot]
        windows = _windows(words)
        found: dict[int, list[Match]] = {}
        for number in _holding(windows, hot):
            steps = [memory.steps[word] for word in words[slice(*windows[number])]]
            terms = _possible(index.leading, steps)
            cost -= len(terms) * len(steps)
            if cost < 0:
                break
            matches = self._read(terms, windows[number][0], steps) if terms else []
            if matches:
                found[number] = matches
        for number in sorted({near for n in found for near in (n - 1, n, n + 1)}):
            if not 0 <= number < len(windows):
                continue
            steps = [memory.steps[word] for word in words[slice(*windows[number])]]
            terms = _possible(index.others, steps)
            cost -= len(terms) * len(steps)
            if cost < 0:
                break
            if terms:
                found.setdefault(number, []).extend(self._read(terms, windows[number][0], steps))
        return Matches([match for n in sorted(found) for match in found[n]], complete=cost >= 0)

    def _read(
        self, terms: Sequence[_Term], begin: int, steps: Sequence[tuple[str, ...]]
    ) -> list[Match]:
        reading = _Reading([self._built(term) for term in terms], self._phrases)
        for place, taken in enumerate(steps, begin):
            reading.read(place, taken)
        return reading.matches

    def _built(self, term: _Term) -> _Node:
        if term.root is None:
            root = _Node()
            for node in _Building(self, term.parts).build(root):
                node.entries.append(term.entry)
            term.root = root  # whole before another thread can see it
        return term.root


@dataclass(frozen=True, slots=True)
class _Memory:
    """The steps of words met before, and those that can stand for the rarest part of a term."""

    steps: dict[str, tuple[str, ...]]
    hot: set[str]


@dataclass(frozen=True, slots=True)
class _Index:
    """Terms by a step that they cannot do without: those that lead, and the others."""

    leading: dict[str, list[_Term]]
    others: dict[str, list[_Term]]


def _possible(by_step: Mapping[str, list[_Term]], steps: Sequence[tuple[str, ...]]) -> list[_Term]:
    """The terms that have all they need among these steps."""
    there = frozenset(itertools.chain.from_iterable(steps))
    possible: dict[_Term, None] = {}
    for step in by_step.keys() & there:
        for term in by_step[step]:
            for need in term.needs:
                if need.isdisjoint(there):
                    break
            else:
                possible[term] = None
    return list(possible)


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


# What is under way: each node reached, how many other words may come before its next, and the
# first word of what was read to get there.
_Threads = dict[_Node, tuple[int, int]]


class _Reading:
    """One pass over a sentence.

    There is one thread per node, the one with the widest gap left, which can do all that the others
    could: that bounds the work of a word by the lexicon, whatever the message.
    """

    def __init__(self, roots: Sequence[_Node], phrases: _Node) -> None:
        self.roots = roots
        # Phrases are read only where a term waits for one.
        self.phrases = phrases
        self.matches: list[Match] = []
        self.threads: _Threads = {}
        self.past: deque[_Threads] = deque(maxlen=LONGEST_PHRASE)
        self.open: list[tuple[_Node, int]] = []  # phrases under way, and their first words

    def read(self, place: int, steps: tuple[str, ...]) -> None:
        """Move everything on by one word, which can take these steps."""
        before = self.threads
        self.past.append(before)
        self.threads = {}
        for node, (gap, first) in before.items():
            if gap:
                self.keep(node, gap - 1, first)
            edges = node.edges
            for step in steps:
                if step in edges:
                    for child in edges[step]:
                        self.arrive(child, first, place)
        if not steps:
            self.open = []
            return
        for root in self.roots:
            edges = root.edges
            for step in steps:
                if step in edges:
                    for child in edges[step]:
                        self.arrive(child, place, place)
        self.read_phrases(place, steps)

    def read_phrases(self, place: int, steps: tuple[str, ...]) -> None:
        """Read the phrases of groups, and go on with whatever waited for one that ends here."""
        under_way = [*self.open, (self.phrases, place)]
        self.open = []
        for node, began in under_way:
            for step in steps:
                for child in node.edges.get(step, ()):
                    if child.edges:
                        self.open.append((child, began))
                    for group in child.groups:
                        self.called(group, began, place)

    def called(self, group: str, began: int, place: int) -> None:
        """A group's phrase ends: what stood before its first word goes on."""
        for root in self.roots:
            for child in root.calls.get(group, ()):
                self.arrive(child, began, place)
        for node, (_, first) in self.past[began - place - 1].items():
            for child in node.calls.get(group, ()):
                self.arrive(child, first, place)

    def arrive(self, node: _Node, first: int, place: int) -> None:
        """Reach a node: what ends here is found, what goes on is kept."""
        for entry in node.entries:
            self.matches.append(Match(entry, first, place))
        if node.edges or node.calls:
            self.keep(node, 0, first)
        for width, waiting in node.waits:
            self.keep(waiting, width, first)

    def keep(self, node: _Node, gap: int, first: int) -> None:
        known = self.threads.get(node)
        if known is None or known[0] < gap:
            self.threads[node] = (gap, first)


class _Building:
    """One pass over a term, building its part of the graph."""

    def __init__(self, graph: Graph, parts: Sequence[str]) -> None:
        self.graph = graph
        self.parts = parts
        self.place = 0

    def build(self, root: _Node) -> list[_Node]:
        return self.sequence([root])

    def sequence(self, froms: list[_Node]) -> list[_Node]:
        """Build parts up to the end, a `|` or a `)`; gives the nodes where they end."""
        while self.place < len(self.parts) and self.parts[self.place][0] not in "|)":
            part = self.parts[self.place]
            self.place += 1
            froms = self.part(part, froms)
        return froms

    def part(self, part: str, froms: list[_Node]) -> list[_Node]:
        if part == "(":
            return self.choice(froms)
        if part[0] == "~":
            return [self.wait(node, int(part[1:] or DEFAULT_GAP)) for node in froms]
        bare = part.removesuffix("?")
        ends = self.named(bare, froms) if bare[0] == "<" else [self.step(bare, froms)]
        return _unique([*ends, *froms]) if part.endswith("?") else ends

    def choice(self, froms: list[_Node]) -> list[_Node]:
        ends: list[_Node] = []
        single: _Node | None = None  # where all choices of one plain word lead to
        while True:
            if self.one_word():
                single = single or _Node()
                self.link(self.parts[self.place], froms, single)
                self.place += 1
            else:
                ends += self.sequence(froms)
            closing = self.parts[self.place]
            self.place += 1
            if closing == "|":
                continue
            ends = [*ends, single] if single is not None else ends
            return _unique([*ends, *froms] if closing == ")?" else ends)

    def one_word(self) -> bool:
        """Whether the next choice is one plain word."""
        here = self.parts[self.place : self.place + 2]
        return (
            len(here) == 2
            and here[0][0] not in "(<~|)"
            and here[0][-1] != "?"
            and (here[1][0] in "|)")
        )

    def link(self, word: str, froms: list[_Node], target: _Node) -> None:
        self.graph.learn(word)
        for node in froms:
            node.edges.setdefault(word, []).append(target)

    def named(self, part: str, froms: list[_Node]) -> list[_Node]:
        """A group: by a single word of it, or by a phrase that is read once for all terms."""
        words = self.graph.group(part[1:-1])
        end = self.step(part, froms)
        if any(" " in word for word in words):
            for node in froms:
                children = node.calls.setdefault(part, [])
                if not any(child is end for child in children):
                    children.append(end)
        return [end]

    def step(self, word: str, froms: list[_Node]) -> _Node:
        known = froms[0].shared.get(word) if len(froms) == 1 else None
        if known is not None:
            return known
        target = _Node()
        self.link(word, froms, target)
        if len(froms) == 1:
            froms[0].shared[word] = target
        return target

    def wait(self, node: _Node, width: int) -> _Node:
        for known, waiting in node.waits:
            if known == width:
                return waiting
        waiting = _Node()
        node.waits.append((width, waiting))
        return waiting


def _unique(nodes: list[_Node]) -> list[_Node]:
    return list({id(node): node for node in nodes}.values())
