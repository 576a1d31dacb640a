"""Who speaks: what files call a person and a supporter."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanad_data.records import Role

__all__ = ["role_of"]

_PERSON = frozenset(
    [
        "person",
        "client",
        "patient",
        "pt",
        "cl",
        "c",
        "p",
        "user",
        "usr",
        "seeker",
        "help-seeker",
        "helpseeker",
        "caller",
        "texter",
        "visitor",
        "member",
        "human",
        "customer",
        "participant",
        "interviewee",
        "العميل",
        "المريض",
        "المراجع",
        "المستخدم",
    ]
)
_SUPPORTER = frozenset(
    [
        "supporter",
        "therapist",
        "counsellor",
        "counselor",
        "psychologist",
        "psychiatrist",
        "psychotherapist",
        "doctor",
        "dr",
        "clinician",
        "practitioner",
        "coach",
        "helper",
        "listener",
        "volunteer",
        "nurse",
        "interviewer",
        "responder",
        "t",
        "th",
        "co",
        "assistant",
        "bot",
        "chatbot",
        "agent",
        "gpt",
        "chatgpt",
        "model",
        "sys",
        "المعالج",
        "المرشد",
        "الطبيب",
        "المساعد",
    ]
)
LONGEST_LABEL = 40  # characters
_NUMBER = re.compile(r"[\s#_]*\d+$")


def role_of(label: str) -> Role | None:
    """Whose turn a label is of; None where it does not say, as a name does not.

    Args:
        label: such as `Therapist`, `Client 2`, `T`, `Dr. Smith` or `assistant`.
    """
    if len(label) > LONGEST_LABEL:
        return None
    name = _NUMBER.sub("", label.strip().lower()).replace(".", "").replace(" ", "-")
    if name in _PERSON:
        return "person"
    return "supporter" if name in _SUPPORTER or name.startswith("dr-") else None
