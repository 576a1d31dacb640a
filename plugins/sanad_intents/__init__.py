"""Intents by example: what a message does, learned in seconds from a few examples each."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import DetectorSpec

__all__ = ["IntentOptions", "sanad_detectors"]


class IntentOptions(Options):
    """Options of the intents detector."""

    examples: str | None = Field(
        None, description="YAML of examples, or Rasa's nlu.yml, relative to the policy"
    )


def _make(options: Any) -> object:
    from sanad_intents.detector import Intents

    return Intents(options.examples)


@hookimpl
def sanad_detectors() -> tuple[DetectorSpec, ...]:
    """The intents detector."""
    return (
        DetectorSpec(
            name="intents",
            make=_make,
            options=IntentOptions,
            writes=("intent",),
            in_process=True,
            summary="intents from examples; 'sanad train nlu' learns them in seconds",
        ),
    )
