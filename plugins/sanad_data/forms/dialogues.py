"""Research sets of whole conversations: ESConv, EmpatheticDialogues and AnnoMI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanad_data.forms.form import Form, Input, alone, has_columns, values
from sanad_data.reading.spool import grouped
from sanad_data.reading.tables import rows
from sanad_data.records import Draft, Reject
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.reading.spool import Kept
    from sanad_data.records import Found, Place, Role

__all__ = ["ANNOMI", "EMPATHETIC", "ESCONV"]

_ESCONV_ROLES: dict[str, Role] = {
    "seeker": "person",
    "speaker": "person",
    "usr": "person",
    "supporter": "supporter",
    "listener": "supporter",
    "sys": "supporter",
}
_EMPATHETIC = {
    "conversation": ("conv_id",),
    "number": ("utterance_idx",),
    "topic": ("context",),
    "text": ("utterance",),
}
_ANNOMI = {
    "conversation": ("transcript_id",),
    "number": ("utterance_id",),
    "speaker": ("interlocutor",),
    "text": ("utterance_text",),
}
_ANNOMI_MORE = {"topic": ("topic",), "quality": ("mi_quality",)}


def _esconv(file: Input) -> Iterator[Found]:
    for found in values(file):
        yield found if isinstance(found, Reject) else _emotional(*found)


def _emotional(place: Place, data: Any) -> Found:
    dialog = data.get("dialog") if isinstance(data, dict) else None
    if not isinstance(dialog, list):
        return Reject(place=place, reason="has no list under 'dialog'")
    turns: list[tuple[Role, str]] = []
    for turn in dialog:
        role = _ESCONV_ROLES.get(str(turn.get("speaker"))) if isinstance(turn, dict) else None
        text = turn.get("content", turn.get("text")) if role else None
        if role is None or not isinstance(text, str):
            return Reject(place=place, reason="a turn has no known 'speaker', or no 'content'")
        turns.append((role, text))
    topics = [str(data.get(key) or "") for key in ("problem_type", "emotion_type")]
    return Draft(
        places=(place,), turns=tuple(turns), topic=topics[0], conditions=conditions(*topics)
    )


def _is_esconv(file: Input) -> bool:
    return "dialog" in file.first


def _empathetic(file: Input) -> Iterator[Found]:
    """Conversations of two; the one who begins tells, the other listens."""
    # The set is published without quotes around its fields: a comma in a text is `_comma_`.
    found = rows(file.path, _EMPATHETIC, as_json=file.kind == "lines", quotes=False)
    for group in grouped(found, "conversation"):
        yield from (group,) if isinstance(group, Reject) else _listened(group)


def _listened(group: list[Kept]) -> Iterator[Found]:
    numbers = [_whole(row["number"]) for _, row in group]
    if not all(numbers):
        for place, _ in group:
            yield Reject(place=place, reason="is of a conversation whose turns are not numbered")
        return
    ordered = sorted(zip(numbers, group, strict=True), key=lambda item: item[0])
    yield Draft(
        places=tuple(place for _, (place, _) in ordered),
        turns=tuple(
            ("person" if number % 2 else "supporter", row["text"].replace("_comma_", ","))
            for number, (_, row) in ordered
        ),
        topic=group[0][1]["topic"],
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _annomi(file: Input) -> Iterator[Found]:
    found = rows(file.path, _ANNOMI, _ANNOMI_MORE, as_json=file.kind == "lines")
    for group in grouped(found, "conversation"):
        yield from (group,) if isinstance(group, Reject) else _interviewed(group)


def _interviewed(group: list[Kept]) -> Iterator[Found]:
    """A session; where several annotators saw it, each utterance is there several times."""
    places: list[Place] = []
    turns: list[tuple[Role, str]] = []
    said: set[str] = set()
    for place, row in group:
        speaker = row["speaker"].strip().lower()
        if speaker not in ("client", "therapist"):
            yield Reject(place=place, reason="its interlocutor is neither client nor therapist")
        elif row["number"] in said:
            reason = "is an utterance that another annotator's row has given"
            yield Reject(place=place, reason=reason, by_rule=True)
        else:
            said.add(row["number"])
            places.append(place)
            turns.append(("person" if speaker == "client" else "supporter", row["text"]))
    if places:
        first = group[0][1]
        labels = {"mi_quality": first["quality"]} if first["quality"] else {}
        yield Draft(places=tuple(places), turns=tuple(turns), topic=first["topic"], labels=labels)


ESCONV = Form(
    name="esconv",
    title="ESConv: JSON, a list of objects with 'dialog'",
    kinds=frozenset({"json", "lines"}),
    read=alone(_esconv),
    fits=_is_esconv,
    source="ESConv",
)
EMPATHETIC = Form(
    name="empathetic",
    title="EmpatheticDialogues: CSV with conv_id, utterance_idx, context and utterance",
    kinds=frozenset({"table", "lines"}),
    read=alone(_empathetic),
    fits=has_columns(_EMPATHETIC),
    source="EmpatheticDialogues",
    needs=_EMPATHETIC,
)
ANNOMI = Form(
    name="annomi",
    title="AnnoMI: CSV with transcript_id, utterance_id, interlocutor and utterance_text",
    kinds=frozenset({"table", "lines"}),
    read=alone(_annomi),
    fits=has_columns(_ANNOMI),
    source="AnnoMI",
    needs=_ANNOMI,
)
