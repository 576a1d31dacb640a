"""The reply guard: checks a draft before a person reads it."""

from __future__ import annotations

from typing import Any

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import GuardSpec

__all__ = ["GuardOptions", "sanad_guards"]


class GuardOptions(Options):
    """The reply guard takes no options."""


def _make(_options: Any) -> object:
    from sanad_guard.rules import ReplyGuard

    return ReplyGuard()


@hookimpl
def sanad_guards() -> tuple[GuardSpec, ...]:
    """The reply guard."""
    return (
        GuardSpec(
            name="reply_guard",
            make=_make,
            options=GuardOptions,
            summary="blocks drafts with invented numbers, stigmatising words or claims to be human",
        ),
    )
