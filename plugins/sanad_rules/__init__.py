"""The responder that cannot fail: short supportive replies from texts that a clinician can edit."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import ResponderSpec

__all__ = ["RulesOptions", "sanad_responders"]


class RulesOptions(Options):
    """Options of the rules responder."""

    texts: str | None = Field(
        None, description="a folder with texts of your own per language, relative to the policy"
    )


def _make(options: Any) -> object:
    from sanad_rules.responder import Rules

    return Rules(options.texts)


@hookimpl
def sanad_responders() -> tuple[ResponderSpec, ...]:
    """The rules responder."""
    return (
        ResponderSpec(
            name="rules",
            make=_make,
            options=RulesOptions,
            generates=False,
            certain=True,
            inline=True,
            summary="supportive replies from texts; in process, always answers",
        ),
    )
