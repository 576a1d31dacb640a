"""Labelled posts, for classifiers: Dreaddit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanad_data.forms.form import Form, Input, alone, has_columns
from sanad_data.reading.tables import rows
from sanad_data.records import Draft, Reject, pseudonym

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.records import Found

__all__ = ["DREADDIT"]

_NEEDS = {"text": ("text",), "label": ("label",), "topic": ("subreddit",)}
_TAKES = {"post": ("post_id",)}


def _dreaddit(file: Input) -> Iterator[Found]:
    """Each segment of a post by itself; the segments of one post are a group."""
    for found in rows(file.path, _NEEDS, _TAKES, as_json=file.kind == "lines"):
        if isinstance(found, Reject):
            yield found
            continue
        place, row = found
        label = row["label"].strip()
        if label not in ("0", "1"):
            yield Reject(place=place, reason="its label is neither 0 nor 1")
            continue
        yield Draft(
            places=(place,),
            turns=(("person", row["text"]),),
            topic=row["topic"],
            group=pseudonym("dreaddit", row["post"]) if row["post"] else "",
            labels={"stress": label},
            alone=True,
        )


DREADDIT = Form(
    name="dreaddit",
    title="Dreaddit: CSV with subreddit, text and label, for 'sanad train screen'",
    kinds=frozenset({"table", "lines"}),
    read=alone(_dreaddit),
    fits=has_columns(_NEEDS),
    source="Dreaddit",
    needs=_NEEDS,
)
