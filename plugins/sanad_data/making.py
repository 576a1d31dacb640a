"""Conversations of the drafts that the readers of forms give; any process may make them."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pydantic import ValidationError

from sanad_data.reading.files import NOT_UTF8, TOO_LONG, is_text
from sanad_data.records import Draft, Reject
from sanad_data.talks import LONGEST, Said, Talk, wrong_in
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sanad_data.records import Found, Place

__all__ = ["Known", "Named", "Taken", "made", "named", "weight"]


class Known(NamedTuple):
    """What is said of all conversations of a run.

    Args:
        source: where they are from; empty: what each file says, else its data set, else its form
            with a code of its name, which may be somebody's and is not kept.
        form: the data set that files of their form are from; empty: any.
        licence: under which they may be used; empty: not known.
        topic: of those whose file gives none.
    """

    source: str
    form: str
    licence: str
    topic: str


class Named(NamedTuple):
    """A draft with the id that its conversation gets."""

    id: str
    draft: Draft


class Taken(NamedTuple):
    """A conversation as a line, and how many records it is made of."""

    line: str
    records: int


Item: TypeAlias = Named | Reject


def named(found: Iterable[Found], form: str) -> Iterator[Item]:
    """Drafts with ids: the same for the same file, wherever it lies and whoever makes them.

    Args:
        found: what a reader gives; rejects pass.
        form: the name of its form.
    """
    numbers: Counter[str] = Counter()
    for item in found:
        if isinstance(item, Reject):
            yield item
            continue
        code = _code(item.places[0])
        numbers[code] += 1
        yield Named(f"{form}-{code}-{numbers[code]}", item)


def weight(item: Item) -> int:
    """About how many bytes an item holds."""
    return sum(len(text) for _, text in item.draft.turns) if isinstance(item, Named) else 0


def made(known: Known, items: list[Item]) -> list[Taken | Reject]:
    """The conversations of drafts, and what becomes none, in order.

    Args:
        known: what is said of all of them.
        items: drafts; rejects pass.
    """
    return [done for item in items for done in _made(item, known)]


def _made(item: Item, known: Known) -> Iterator[Taken | Reject]:
    if isinstance(item, Reject):
        yield item
        return
    talk = _talk(item, known)
    line = talk if isinstance(talk, str) else talk.line()
    if isinstance(talk, str) or len(line.encode()) > LONGEST:
        reason = talk if isinstance(talk, str) else f"is of a conversation that {TOO_LONG}"
        for place in item.draft.places:
            yield Reject(place=place, reason=reason)
    else:
        yield Taken(line, len(item.draft.places))


def _talk(item: Named, known: Known) -> Talk | str:
    """The conversation of a draft, or what is wrong with it."""
    draft = item.draft
    turns = [(role, text.strip()) for role, text in draft.turns if text.strip()]
    if not turns:
        return "holds nothing that is said"
    lacking = {"person", *(() if draft.alone else ("supporter",))} - {role for role, _ in turns}
    if lacking:
        return f"holds nothing that a {min(lacking)} says"
    if not all(is_text(text) for _, text in turns):
        return f"{NOT_UTF8} in all of its text"
    topic = draft.topic.strip() or known.topic
    try:
        return Talk(
            id=item.id,
            turns=[Said(role=role, text=text) for role, text in turns],
            source=known.source or draft.source or known.form or item.id.rpartition("-")[0],
            licence=known.licence,
            topic=topic,
            conditions=list(draft.conditions or conditions(topic)),
            group=draft.group,
            reviewed_by=list(draft.reviewed_by),
            labels=draft.labels,
        )
    except ValidationError as err:
        return wrong_in(err)


def _name(place: Place) -> str:
    return place.file.replace("\\", "/").rpartition("/")[2]


def _code(place: Place) -> str:
    """A short code for a file in ids, which are the same wherever the file lies."""
    return hashlib.sha256(_name(place).encode()).hexdigest()[:8]
