"""Responders over the OpenAI chat API: OpenAI itself, vLLM, and every server that speaks it."""

from __future__ import annotations

from typing import Any

from sanad_core import hookimpl
from sanad_core.specs import ResponderSpec
from sanad_openai.options import OpenAIOptions, VllmOptions

__all__ = ["OpenAIOptions", "VllmOptions", "sanad_responders"]


def _make(options: Any) -> object:
    import importlib.util

    from sanad_core.errors import MissingExtra

    if any(importlib.util.find_spec(name) is None for name in ("openai", "purgatory")):
        raise MissingExtra("openai", "openai")
    from sanad_openai.responder import ChatResponder

    return ChatResponder(options)


@hookimpl
def sanad_responders() -> tuple[ResponderSpec, ...]:
    """OpenAI, and vLLM by the same code."""
    return (
        ResponderSpec(
            name="openai",
            make=_make,
            options=OpenAIOptions,
            extra="openai",
            summary="replies by a model behind the OpenAI chat API",
        ),
        ResponderSpec(
            name="vllm",
            make=_make,
            options=VllmOptions,
            extra="openai",
            summary="replies by your own model, served by vLLM",
        ),
    )
