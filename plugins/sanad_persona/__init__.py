"""Who a model is told to be: the persona file, and the prompt made of it for one turn."""

from __future__ import annotations

from sanad_persona.persona import Persona, chosen_persona, read_persona
from sanad_persona.prompt import Message, prompt
from sanad_persona.whole import Whole

__all__ = ["Message", "Persona", "Whole", "chosen_persona", "prompt", "read_persona"]
