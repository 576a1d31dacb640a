"""Who a model is told to be: the persona file, and the prompt made of it for one turn."""

from __future__ import annotations

from sanad_persona.persona import PACKAGED, Persona, read_persona
from sanad_persona.prompt import Message, prompt

__all__ = ["PACKAGED", "Message", "Persona", "prompt", "read_persona"]
