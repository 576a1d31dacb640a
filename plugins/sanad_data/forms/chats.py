"""Conversations as chat models are trained on: ShareGPT, ChatML, OpenAI's messages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sanad_data.forms.form import Form, Input, alone, values
from sanad_data.forms.speakers import role_of
from sanad_data.records import Draft, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.records import Found, Place, Role

__all__ = ["CHAT"]

_LISTS = ("messages", "conversations", "conversation")
_MARKED = re.compile(r"<\|im_start\|>(\w+)\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL)
# What a model is told; it is no turn of the conversation.
_INSTRUCTIONS = ("system", "developer")


def _read(file: Input) -> Iterator[Found]:
    for found in values(file):
        yield found if isinstance(found, Reject) else _talk(*found)


def _talk(place: Place, data: Any) -> Found:
    messages = _messages(data)
    if messages is None:
        return Reject(place=place, reason=f"has no list under any of {', '.join(_LISTS)}")
    turns: list[tuple[Role, str]] = []
    for label, text in map(_message, messages):
        if label in _INSTRUCTIONS:
            continue
        role = role_of(label)
        if role is None or text is None:
            return Reject(place=place, reason="a turn has no known role, or no text")
        turns.append((role, text))
    topic = data.get("topic")
    return Draft(places=(place,), turns=tuple(turns), topic=topic if isinstance(topic, str) else "")


def _messages(data: Any) -> list[Any] | None:
    if not isinstance(data, dict):
        return None
    found = next((data[key] for key in _LISTS if isinstance(data.get(key), list)), None)
    text = data.get("text")
    if found is None and isinstance(text, str):
        found = [{"role": role, "content": said} for role, said in _MARKED.findall(text)] or None
    return found


def _message(data: Any) -> tuple[str, str | None]:
    """A message's label and text; content in parts is put together if all of it is text."""
    if not isinstance(data, dict):
        return "", None
    label, text = data.get("role", data.get("from", "")), data.get("content", data.get("value"))
    if isinstance(text, list):
        parts = [part.get("text") if isinstance(part, dict) else None for part in text]
        text = "\n".join(map(str, parts)) if None not in parts else None
    return str(label), text if isinstance(text, str) else None


def _fits(file: Input) -> bool:
    messages = _messages(file.first)
    return bool(messages and _message(messages[0])[0])


CHAT = Form(
    name="chat",
    title="ShareGPT or ChatML: JSONL with conversations of from and value, or messages",
    kinds=frozenset({"json", "lines"}),
    read=alone(_read),
    fits=_fits,
)
