"""Screening by a small encoder: risk, conditions, sentiment and emotions in one fast pass."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import DetectorSpec

__all__ = ["ScreenOptions", "sanad_detectors"]


class ScreenOptions(Options):
    """Options of the screening model."""

    folder: str | None = Field(
        None, description="a model made by 'sanad train screen', relative to the policy"
    )
    point: str = Field(
        "default", description="which thresholds of the model's card to use, such as sensitive"
    )


def _make(options: Any) -> object:
    from sanad_screen.detector import Screen

    return Screen(options.folder, options.point)


@hookimpl
def sanad_detectors() -> tuple[DetectorSpec, ...]:
    """The screening model."""
    return (
        DetectorSpec(
            name="screen",
            make=_make,
            options=ScreenOptions,
            writes=("risk", "condition", "history", "sentiment", "emotion"),
            in_process=True,
            summary="risk, conditions, sentiment and emotions by a small encoder; English",
        ),
    )
