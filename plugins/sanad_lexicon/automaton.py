"""The graph of terms and the pass over a sentence: each term moves on by one step per word.

All terms of a sentence move side by side, so no term can make the time explode.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LONGEST_PHRASE", "Building", "Match", "Node", "Reading", "Vocabulary"]

DEFAULT_GAP = 3
LONGEST_PHRASE = 12  # words of a group's phrase


class Vocabulary(Protocol):
    """What a term's part of the graph is built from."""

    def group(self, name: str) -> Sequence[str]:
        """The words of a group."""
        ...

    def learn(self, step: str) -> None:
        """Remember which words can take a step."""
        ...


@dataclass(frozen=True, slots=True)
class Match:
    """A term found: which entry, and its first and last word."""

    entry: int
    first: int
    last: int


@dataclass(slots=True, eq=False)
class Node:
    """A place between two words of some terms.

    `edges` lead on by a word, a group's single word or a prefix; `calls` by a group's phrase of
    several words, which is read once for all terms; `waits` are the same place with a number of
    other words allowed before the next; `shared` are the edges that terms with one beginning share.
    """

    edges: dict[str, list[Node]] = field(default_factory=dict)
    calls: dict[str, list[Node]] = field(default_factory=dict)
    waits: list[tuple[int, Node]] = field(default_factory=list)
    shared: dict[str, Node] = field(default_factory=dict)
    entries: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


# What is under way: each node reached, how many other words may come before its next, and the
# first word of what was read to get there.
_Threads = dict[Node, tuple[int, int]]


class Reading:
    """One pass over a sentence.

    There is one thread per node, the one with the widest gap left, which can do all that the others
    could: that bounds the work of a word by the lexicon, whatever the message.
    """

    def __init__(self, roots: Sequence[Node], there: frozenset[str], phrases: Node | None) -> None:
        self.starts: dict[str, list[Node]] = {}
        for root in roots:
            for step in root.edges.keys() & there:
                self.starts.setdefault(step, []).extend(root.edges[step])
        self.roots = roots
        self.phrases = phrases  # None: no term waits for one
        self.matches: list[Match] = []
        self.work = 0  # words read, each counted once for every thread
        self.threads: _Threads = {}
        self.past: deque[_Threads] = deque(maxlen=LONGEST_PHRASE)
        self.open: list[tuple[Node, int]] = []  # phrases under way, and their first words

    def run(self, begin: int, steps: Sequence[tuple[str, ...]]) -> None:
        """Read words, from one place on, each by the steps that it can take."""
        starts = self.starts
        self.work += len(steps)
        for place, taken in enumerate(steps, begin):
            if self.threads or self.phrases is not None:
                self._move(place, taken)
            for step in taken:
                if step in starts:
                    for child in starts[step]:
                        self._arrive(child, place, place)
            if self.phrases is None or not taken:
                continue
            if self.open or not self.phrases.edges.keys().isdisjoint(taken):
                self._read_phrases(self.phrases, place, taken)

    def _move(self, place: int, steps: tuple[str, ...]) -> None:
        """Move everything under way on by one word."""
        before = self.threads
        self.work += len(before)
        self.past.append(before)
        self.threads = {}
        for node, (gap, first) in before.items():
            if gap:
                self._keep(node, gap - 1, first)
            edges = node.edges
            for step in steps:
                if step in edges:
                    for child in edges[step]:
                        self._arrive(child, first, place)
        if not steps:
            self.open = []

    def _read_phrases(self, phrases: Node, place: int, steps: tuple[str, ...]) -> None:
        """Read the phrases of groups, and go on with whatever waited for one that ends here."""
        under_way = [*self.open, (phrases, place)]
        self.open = []
        for node, began in under_way:
            for step in steps:
                for child in node.edges.get(step, ()):
                    if child.edges:
                        self.open.append((child, began))
                    for group in child.groups:
                        self._called(group, began, place)

    def _called(self, group: str, began: int, place: int) -> None:
        """A group's phrase ends: what stood before its first word goes on."""
        for root in self.roots:
            for child in root.calls.get(group, ()):
                self._arrive(child, began, place)
        for node, (_, first) in self.past[began - place - 1].items():
            for child in node.calls.get(group, ()):
                self._arrive(child, first, place)

    def _arrive(self, node: Node, first: int, place: int) -> None:
        """Reach a node: what ends here is found, what goes on is kept."""
        for entry in node.entries:
            self.matches.append(Match(entry, first, place))
        if node.edges or node.calls:
            self._keep(node, 0, first)
        for width, waiting in node.waits:
            self._keep(waiting, width, first)

    def _keep(self, node: Node, gap: int, first: int) -> None:
        known = self.threads.get(node)
        if known is None or known[0] < gap:
            self.threads[node] = (gap, first)


class Building:
    """One pass over a term, building its part of the graph."""

    def __init__(self, graph: Vocabulary, parts: Sequence[str]) -> None:
        self.graph = graph
        self.parts = parts
        self.place = 0

    def build(self, root: Node) -> list[Node]:
        """Build the term from a node on; gives the nodes where it ends."""
        return self._sequence([root])

    def _sequence(self, froms: list[Node]) -> list[Node]:
        """Build parts up to the end, a `|` or a `)`; gives the nodes where they end."""
        while self.place < len(self.parts) and self.parts[self.place][0] not in "|)":
            part = self.parts[self.place]
            self.place += 1
            froms = self._part(part, froms)
        return froms

    def _part(self, part: str, froms: list[Node]) -> list[Node]:
        if part == "(":
            return self._choice(froms)
        if part[0] == "~":
            return [self._wait(node, int(part[1:] or DEFAULT_GAP)) for node in froms]
        bare = part.removesuffix("?")
        ends = self._named(bare, froms) if bare[0] == "<" else [self._step(bare, froms)]
        return _unique([*ends, *froms]) if part.endswith("?") else ends

    def _choice(self, froms: list[Node]) -> list[Node]:
        ends: list[Node] = []
        single: Node | None = None  # where all choices of one plain word lead to
        while True:
            if self._one_word():
                single = single or Node()
                self._link(self.parts[self.place], froms, single)
                self.place += 1
            else:
                ends += self._sequence(froms)
            closing = self.parts[self.place]
            self.place += 1
            if closing == "|":
                continue
            ends = [*ends, single] if single is not None else ends
            return _unique([*ends, *froms] if closing == ")?" else ends)

    def _one_word(self) -> bool:
        """Whether the next choice is one plain word."""
        here = self.parts[self.place : self.place + 2]
        return (
            len(here) == 2
            and here[0][0] not in "(<~|)"
            and here[0][-1] != "?"
            and (here[1][0] in "|)")
        )

    def _link(self, word: str, froms: list[Node], target: Node) -> None:
        self.graph.learn(word)
        for node in froms:
            node.edges.setdefault(word, []).append(target)

    def _named(self, part: str, froms: list[Node]) -> list[Node]:
        """A group: by a single word of it, or by a phrase that is read once for all terms."""
        words = self.graph.group(part[1:-1])
        end = self._step(part, froms)
        if any(" " in word for word in words):
            for node in froms:
                children = node.calls.setdefault(part, [])
                if not any(child is end for child in children):
                    children.append(end)
        return [end]

    def _step(self, word: str, froms: list[Node]) -> Node:
        known = froms[0].shared.get(word) if len(froms) == 1 else None
        if known is not None:
            return known
        target = Node()
        self._link(word, froms, target)
        if len(froms) == 1:
            froms[0].shared[word] = target
        return target

    def _wait(self, node: Node, width: int) -> Node:
        for known, waiting in node.waits:
            if known == width:
                return waiting
        waiting = Node()
        node.waits.append((width, waiting))
        return waiting


def _unique(nodes: list[Node]) -> list[Node]:
    return list({id(node): node for node in nodes}.values())
