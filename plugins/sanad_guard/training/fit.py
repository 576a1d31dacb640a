"""Fits the guard: drafts, their beginnings as a stream shows them, and contexts of unknown risk."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as loss

from sanad_guard.drafts import ANY, NO_HELP, RULES, Item, Reply
from sanad_guard.reading import Reading, read
from sanad_guard.training.network import OUTPUTS, Network
from sanad_screen.tokens import Reader
from sanad_screen.training.network import halved
from sanad_screen.training.schedule import optimiser_of
from sanad_screen.training.tensors import inputs

__all__ = ["Example", "Recipe", "examples", "fit", "scores"]

UNKNOWN = -1.0
# How often a draft is cut short, its risk or its context left out.
BEGUN, UNTOLD, BARE = 0.5, 0.3, 0.1
MIXED = 1.0  # mixed drafts for each context


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to train."""

    frozen: int = 3
    epochs: int = 6
    tokens: int = 2048
    rate: float = 2e-4
    head_rate: float = 2e-3
    warmup: float = 0.1
    decay: float = 0.01
    smooth: float = 0.02
    public: float = 0.5
    seed: int = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One piece of a draft with its targets.

    Args:
        reading: its tokens and sentences.
        sentences: a row of targets for each sentence.
        whole: the targets of the whole; UNKNOWN where it does not show them.
    """

    reading: Reading
    sentences: Tensor
    whole: Tensor


def examples(reader: Reader, items: Iterable[Item], chance: Random | None = None) -> list[Example]:
    """Examples of drafts.

    Args:
        reader: turns text into tokens.
        items: labelled drafts.
        chance: draws beginnings and what is left out; None: each draft as it is.
    """
    return [
        example
        for item in items
        for reply in item.replies
        for example in _of(reader, item, reply, chance)
    ]


def mixed(
    reader: Reader, items: Sequence[Item], source: Sequence[Item], chance: Random
) -> list[Example]:
    """Examples whose parts were written for different contexts.

    What breaks a rule mostly does so whatever was said before, and beside whatever else is said;
    drafts as they were written teach only what is wrong where it was written.

    Args:
        reader: turns text into tokens.
        items: whose contexts are used.
        source: labelled drafts, whose parts are.
        chance: draws the parts.
    """
    good = [reply.text for item in source for reply in item.replies if not reply.rules]
    bad = [
        (reply.text[a:b], reply.rules)
        for item in source
        for reply in item.replies
        if "no_help_offered" not in reply.rules
        for a, b in reply.spans
    ]
    made: list[Example] = []
    for item in items:
        if chance.random() < MIXED:
            reply = _good(good, chance) if chance.random() < 0.5 else _bad(good, bad, chance)
            made += _of(reader, item, reply, None)
    return made


def _good(good: Sequence[str], chance: Random) -> Reply:
    """Good sentences of two replies."""
    kept = (_begun(chance.choice(good), chance) for _ in range(2))
    return Reply(text=" ".join(kept))


def _bad(good: Sequence[str], bad: Sequence[tuple[str, list[str]]], chance: Random) -> Reply:
    """A bad sentence alone, or amid good ones."""
    text, rules = chance.choice(bad)
    before = _begun(chance.choice(good), chance) + " " if chance.random() < 0.6 else ""
    after = " " + _begun(chance.choice(good), chance) if chance.random() < 0.5 else ""
    span = (len(before), len(before) + len(text))
    return Reply(text=f"{before}{text}{after}", rules=rules, spans=[span])


def _of(reader: Reader, item: Item, reply: Reply, chance: Random | None) -> Iterator[Example]:
    risk, context, text = item.risk, item.said, reply.text
    if chance is not None:
        risk = "" if chance.random() < UNTOLD else risk
        context = [] if chance.random() < BARE else context
        if chance.random() < BEGUN:
            text = _begun(text, chance)
    readings = read(reader, text, context, risk)
    for reading in readings:
        targets = torch.stack([_broken(reply, span) for span in reading.spans])
        whole = targets.amax(0)
        if text != reply.text or len(readings) > 1:
            whole[NO_HELP] = UNKNOWN
        elif "no_help_offered" in reply.rules:
            whole[NO_HELP] = whole[ANY] = 1.0
        elif item.part or item.level in ("none", "low"):
            whole[NO_HELP] = UNKNOWN  # nobody asks for help there, or it stands elsewhere
        yield Example(reading=reading, sentences=targets, whole=whole)


def _begun(text: str, chance: Random) -> str:
    """The first sentences of a draft."""
    from sanad_core.text import sentences

    found = sentences(text)
    return text[: found[chance.randrange(len(found))][1]]


def _broken(reply: Reply, span: tuple[int, int]) -> Tensor:
    """What a sentence breaks: the rules of a part that lies in it for the most part."""
    found = torch.zeros(OUTPUTS)
    start, end = span
    shared = [min(end, b) - max(start, a) for a, b in reply.spans]
    if any(s > 0 and s >= min(8, end - start) for s in shared):
        for rule in reply.rules:
            found[RULES.index(rule)] = 1.0
        found[ANY] = 1.0
    if "no_help_offered" in reply.rules:
        found[NO_HELP] = UNKNOWN  # no sentence of it is wrong; what is missing is
        if len(reply.rules) == 1:
            found[ANY] = UNKNOWN
    return found


def _batches(given: Sequence[Example], most: int, chance: Random) -> Iterator[list[Example]]:
    order = sorted(given, key=lambda e: len(e.reading.row.ids) + chance.random() * 8)
    groups: list[list[Example]] = []
    for example in order:
        width = len(example.reading.row.ids)
        if groups and width * (len(groups[-1]) + 1) <= most:
            groups[-1].append(example)
        else:
            groups.append([example])
    chance.shuffle(groups)
    yield from groups


def _tensors(reader: Reader, group: Sequence[Example]) -> tuple[Tensor, ...]:
    ids, types, mask = inputs([e.reading.row for e in group], reader).values()
    most = max(len(e.reading.places) for e in group)
    parts = torch.zeros(len(group), most, ids.shape[1])
    targets = torch.full((len(group), most, OUTPUTS), UNKNOWN)
    for row, example in enumerate(group):
        for place, (a, b) in enumerate(example.reading.places):
            parts[row, place, a:b] = 1 / (b - a)
        targets[row, : len(example.sentences)] = example.sentences
    return ids, types, mask, parts, targets, torch.stack([e.whole for e in group])


def _lost(found: Tensor, targets: Tensor, smooth: float) -> Tensor:
    known = targets >= 0
    found = found.float()
    soft = targets.clamp(min=0) * (1 - 2 * smooth) + smooth
    each = loss.binary_cross_entropy_with_logits(found, soft, reduction="none")
    weights = known.float()
    weights[..., ANY] *= 8  # the rules are rare, and this one decides
    weights[..., NO_HELP] *= 4
    return (each * weights).sum() / weights.sum()


def fit(
    network: Network,
    reader: Reader,
    train: Sequence[Item],
    public: Sequence[Item],
    recipe: Recipe,
    told: Callable[[int], None] = lambda step: None,
    after: Callable[[int, Network], float] | None = None,
) -> Network:
    """Train, and give back the best of the epochs.

    Args:
        network: is trained in place.
        reader: turns text into tokens.
        train: what to learn from.
        public: parts of public answers; an epoch sees some as they are, and mixes all.
        recipe: how.
        told: hears of each step.
        after: judges an epoch; lower is better; None: the last epoch counts.
    """
    chance = Random(recipe.seed)
    heads = (network.weigh, network.sentence, network.about, network.whole)
    optimiser, schedule = optimiser_of(
        network.upper.parameters(),
        [weight for head in heads for weight in head.parameters()],
        recipe,
        recipe.epochs * _steps(reader, train, public, recipe),
    )
    best: tuple[float, Any] = (math.inf, None)
    done = 0
    for epoch in range(recipe.epochs):
        network.train()
        network.trunk.eval()
        given = _epoch(reader, train, public, recipe, chance)
        for group in _batches(given, recipe.tokens, chance):
            lost = _loss(network, _tensors(reader, group), recipe.smooth)
            optimiser.zero_grad()
            lost.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            done += 1
            told(done)
        judged = after(epoch, network) if after is not None else -float(epoch)
        if judged < best[0]:
            best = (judged, copy.deepcopy(network.state_dict()))
    network.load_state_dict(best[1])
    network.eval()
    return network


def _loss(network: Network, given: tuple[Tensor, ...], smooth: float) -> Tensor:
    ids, types, mask, parts, targets, whole = given
    with halved():
        by_sentence, of_whole = network(ids, types, mask, parts)
    return _lost(by_sentence, targets, smooth) + _lost(of_whole, whole, smooth)


def _epoch(
    reader: Reader, train: Sequence[Item], public: Sequence[Item], recipe: Recipe, chance: Random
) -> list[Example]:
    """What one epoch sees."""
    return [
        *examples(reader, train),
        *examples(reader, train, chance),
        *examples(reader, chance.sample(public, round(recipe.public * len(public)))),
        *mixed(reader, train, [*train, *public], chance),
    ]


def _steps(reader: Reader, train: Sequence[Item], public: Sequence[Item], recipe: Recipe) -> int:
    chance = Random(recipe.seed)
    given = _epoch(reader, train, public, recipe, chance)
    return sum(1 for _ in _batches(given, recipe.tokens, chance))


def scores(
    network: Network, reader: Reader, given: Sequence[Example]
) -> list[tuple[Tensor, Tensor]]:
    """Probabilities of each example: by sentence, and of the whole."""
    found: list[tuple[Tensor, Tensor]] = []
    network.eval()
    with torch.inference_mode():
        for example in given:
            ids, types, mask, parts, _, _ = _tensors(reader, [example])
            by_sentence, whole = network(ids, types, mask, parts)
            found.append((by_sentence[0].sigmoid(), whole[0].sigmoid()))
    return found
