"""The crisis floor: finds risk by words and phrases, in process, without a model."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import DetectorSpec

__all__ = ["LexiconOptions", "sanad_detectors"]


class LexiconOptions(Options):
    """Options of the lexicon."""

    folders: list[str] = Field(
        default_factory=list,
        description="further folders of lexicon files, relative to the policy",
    )


def _make(options: Any) -> object:
    from sanad_lexicon.detector import Lexicon

    return Lexicon(tuple(options.folders))


@hookimpl
def sanad_detectors() -> tuple[DetectorSpec, ...]:
    """The lexicon."""
    return (
        DetectorSpec(
            name="lexicon",
            make=_make,
            options=LexiconOptions,
            writes=("risk", "condition", "history", "intent", "emotion", "topic", "fact"),
            in_process=True,
            summary="the crisis floor: words and phrases, in every language of the policy",
        ),
    )
