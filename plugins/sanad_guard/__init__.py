"""The reply guard: checks a draft before a person reads it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import GuardSpec

__all__ = ["GuardOptions", "sanad_guards"]


class GuardOptions(Options):
    """Options of the reply guard."""

    folder: str | None = Field(
        None, description="a model made by 'sanad train guard', relative to the policy"
    )
    encoder: bool = Field(
        True, description="false: only wordings and numbers are looked at, which misses most"
    )


def _make(options: Any) -> object:
    from sanad_guard.guard import ReplyGuard

    return ReplyGuard(options)


@hookimpl
def sanad_guards() -> tuple[GuardSpec, ...]:
    """The reply guard."""
    return (
        GuardSpec(
            name="reply_guard",
            make=_make,
            options=GuardOptions,
            summary="blocks drafts that harm: 22 rules, by wording and by an encoder",
        ),
    )
