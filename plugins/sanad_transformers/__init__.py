"""A responder that runs a local checkpoint in this process, with transformers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import ResponderSpec

__all__ = ["TransformersOptions", "sanad_responders"]


class TransformersOptions(Options):
    """Options of `transformers`."""

    model: str = Field(description="a folder relative to the policy, or a hub id; any causal model")
    adapter: str | None = Field(None, description="a PEFT adapter's folder, put on the model")
    dtype: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto", description="auto: as stored; int8: weights as 8-bit integers, by torchao"
    )
    device: str = Field("auto", description="cpu, cuda, cuda:1, …; auto: a GPU if there is one")
    persona: str | None = Field(
        None, description="a persona file, relative to the policy; default: the packaged one"
    )
    allow_titles: bool = Field(
        False, description="let the persona be called a therapist, counsellor or doctor"
    )
    max_tokens: int = Field(160, ge=1, le=4000, description="of one reply")
    temperature: float = Field(0.6, ge=0, le=2, description="0: always the likeliest word")
    context_tokens: int = Field(800, ge=0, description="of the conversation before the message")


def _make(options: Any) -> object:
    import importlib.util

    from sanad_core.errors import MissingExtra

    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        raise MissingExtra("transformers", "models")
    from sanad_transformers.responder import LocalResponder

    return LocalResponder(options)


@hookimpl
def sanad_responders() -> tuple[ResponderSpec, ...]:
    """A local checkpoint."""
    return (
        ResponderSpec(
            name="transformers",
            make=_make,
            options=TransformersOptions,
            extra="models",
            summary="replies by a checkpoint in this process: GPT-2, Llama, Mistral, SmolLM2, …",
        ),
    )
