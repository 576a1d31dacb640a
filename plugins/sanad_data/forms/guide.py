"""The training guide's own form: pairs of what a user and a therapist said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sanad_data.forms.form import Form, Input, alone, values
from sanad_data.records import Draft, Reject
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.records import Found, Place

__all__ = ["GUIDE"]

_LIST = "conversations"
_ABOUT = ("topic", "condition", "source")


def _read(file: Input) -> Iterator[Found]:
    if file.kind == "lines" and _LIST in file.first:
        file = replace(file, kind="json")  # an object of one line with all the pairs
    for found in values(file, within=_LIST):
        yield found if isinstance(found, Reject) else _talk(*found)


def _talk(place: Place, data: Any) -> Found:
    data = data if isinstance(data, dict) else {}
    user, therapist = data.get("user"), data.get("therapist")
    if not isinstance(user, str) or not isinstance(therapist, str):
        return Reject(place=place, reason="has no text under 'user', or none under 'therapist'")
    about = {key: data.get(key) for key in _ABOUT}
    topic, condition, source = (value if isinstance(value, str) else "" for value in about.values())
    readers = data.get("reviewed_by", data.get("reviewer", []))
    return Draft(
        places=(place,),
        turns=(("person", user), ("supporter", therapist)),
        topic=topic or condition,
        conditions=conditions(topic, condition),
        source=source,
        reviewed_by=tuple(map(str, readers if isinstance(readers, list) else [readers])),
    )


def _fits(file: Input) -> bool:
    listed = file.first.get(_LIST)
    if listed == []:
        return True
    first = listed[0] if isinstance(listed, list) else file.first
    return isinstance(first, dict) and not {"user", "therapist"}.isdisjoint(first)


GUIDE = Form(
    name="guide",
    title='the training guide\'s JSON: {"conversations": [{"user": …, "therapist": …}]}',
    kinds=frozenset({"json", "lines"}),
    read=alone(_read),
    fits=_fits,
)
