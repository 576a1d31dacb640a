"""Terms compiled into one graph that reads a message once.

Every term moves on by one step per word, all terms side by side, so the time grows with the length
of the message and with nothing else; no term can make it explode. terms.py says how a term is
written.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanad_lexicon.normalise import STOP
from sanad_lexicon.terms import TermError, firsts_of, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Graph", "Match"]

DEFAULT_GAP = 3
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


class Graph:
    """All terms of a language.

    Args:
        groups: words of each group.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._root = _Node()
        self._groups = groups
        self._steps: dict[str, tuple[str, ...]] = {}
        self._prefixes: set[str] = set()
        self._learnt: set[str] = set()
        self._phrases = _Node()
        self._cache: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, list[_Waiting]] = {}
        self._lock = threading.Lock()

    def add(self, term: str, entry: int) -> None:
        """Add a term.

        It is checked here, and built when a message first has a word that it can begin with:
        most terms never are, and building them all would be most of a start.

        Raises:
            TermError: it cannot be read.
        """
        parts = parts_of(term)
        waiting = _Waiting(parts, entry)
        for part in parts:
            if part[0] not in "()|~":
                self.learn(part.removesuffix("?"))
        for first in firsts_of(parts):
            for step in (first, *self._phrase_starts(first)):
                self._waiting.setdefault(step, []).append(waiting)

    def _phrase_starts(self, step: str) -> Sequence[str]:
        if not step.startswith("<"):
            return ()
        return [phrase.split()[0] for phrase in self.group(step[1:-1]) if " " in phrase]

    def _build(self, steps: Sequence[str]) -> None:
        """Build the terms that can begin with one of these steps."""
        for step in steps:
            for waiting in self._waiting.pop(step, ()):
                if not waiting.built:
                    waiting.built = True
                    for node in _Term(self, waiting.parts).build(self._root):
                        if waiting.entry not in node.entries:
                            node.entries.append(waiting.entry)

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
        known = self._steps.get(word, ())
        if step not in known:
            self._steps[word] = (*known, step)

    @property
    def words(self) -> frozenset[str]:
        """Every word that stands in a term."""
        return frozenset(word for word in self._steps if not word.endswith("*"))

    def _of(self, word: str) -> tuple[str, ...]:
        """The steps that a word can take."""
        found = self._cache.get(word)
        if found is None:
            begun = (f"{word[:size]}*" for size in range(2, min(len(word), 30) + 1))
            by_prefix = [s for key in begun if key in self._prefixes for s in self._steps[key]]
            found = tuple(dict.fromkeys((*self._steps.get(word, ()), *by_prefix)))
            with self._lock:  # messages are read on several threads
                self._build(found)
            if len(self._cache) < 50_000:
                self._cache[word] = found
        return found

    def find(self, words: Sequence[str]) -> list[Match]:
        """Every place where a term stands; one pass."""
        reading = _Reading(self._root, self._phrases)
        for place, word in enumerate(words):
            if word == STOP:
                reading.stop()
            else:
                reading.read(place, self._of(word))
        return reading.matches


# What is under way: each node reached, how many other words may come before its next, and the
# first word of what was read to get there.
_Threads = dict[_Node, tuple[int, int]]


class _Reading:
    """One pass over a message.

    There is one thread per node, the one with the widest gap left, which can do all that the others
    could: that bounds the work of a word by the lexicon, whatever the message.
    """

    def __init__(self, root: _Node, phrases: _Node) -> None:
        self.root = root
        self.phrases = phrases
        self.matches: list[Match] = []
        self.stop()

    def stop(self) -> None:
        """A sentence ends, and with it everything under way."""
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
        edges = self.root.edges
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
        for child in self.root.calls.get(group, ()):
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


@dataclass(slots=True)
class _Waiting:
    """A term that is checked and not yet built."""

    parts: list[str]
    entry: int
    built: bool = False


class _Term:
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
