"""What is evaluated: a checkpoint, a model behind an address, a whole policy; each answers."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, Protocol

from sanad_core.errors import ServiceError
from sanad_persona import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_core.engine import Engine
    from sanad_transformers.checkpoint import Checkpoint

__all__ = ["Behind", "Local", "System", "Whole", "perplexity"]


class System(Protocol):
    """Something that answers.

    Args:
        name: as the report calls it.
    """

    name: str

    async def answer(self, talk: str, said: Sequence[str], replies: Sequence[str]) -> str:
        """The reply to the last of a person's messages.

        Args:
            talk: the conversation's id.
            said: their messages.
            replies: what was answered to the earlier ones.
        """
        ...


def _messages(system: str, said: Sequence[str], replies: Sequence[str]) -> list[Message]:
    told = [Message(role="system", content=system)] if system else []
    for number, text in enumerate(said):
        told.append(Message(role="user", content=text))
        if number < len(replies):
            told.append(Message(role="assistant", content=replies[number]))
    return told


def _something(text: str | None) -> str:
    """A reply without the space around it; nothing at all is none, and is not rated as one."""
    if text is None or not text.strip():
        raise ServiceError("empty")
    return text.strip()


class Local:
    """A checkpoint in this process.

    Args:
        name: as the report calls it.
        checkpoint: loaded.
        system: what it is told first.
        most: tokens of a reply.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, system: str, most: int) -> None:
        self.name = name
        self.checkpoint = checkpoint
        self.system = system
        self._most = most

    async def answer(self, talk: str, said: Sequence[str], replies: Sequence[str]) -> str:
        """The likeliest reply.

        Raises:
            ServiceError: it wrote nothing.
        """
        pieces: list[str] = []
        model = self.checkpoint
        model.write(
            model.tokens(_messages(self.system, said, replies), self._most),
            pieces.append,
            threading.Event(),
            most=self._most,
            temperature=0,
        )
        return _something("".join(pieces).strip().split("\nPerson:")[0])


class Behind:
    """A model behind an OpenAI-compatible address.

    Args:
        name: as the report calls it.
        url: base URL.
        model: as the server names it.
        system: what it is told first.
        most: tokens of a reply.
    """

    def __init__(self, name: str, url: str, model: str, system: str, most: int) -> None:
        import os

        import openai

        self.name = name
        self._system, self._model, self._most = system, model, most
        key = os.environ.get("OPENAI_API_KEY", "none")
        self._client = openai.AsyncOpenAI(base_url=url, api_key=key, timeout=120)

    async def answer(self, talk: str, said: Sequence[str], replies: Sequence[str]) -> str:
        """The reply.

        Raises:
            ServiceError: the server gave none.
        """
        import openai

        told = _messages(self._system, said, replies)
        try:
            given = await self._client.chat.completions.create(
                model=self._model,
                messages=[{"role": m.role, "content": m.content} for m in told],
                max_tokens=self._most,
                temperature=0,
            )
        except openai.OpenAIError as err:
            raise ServiceError(f"http_{getattr(err, 'status_code', None) or 'none'}") from None
        return _something(given.choices[0].message.content if given.choices else None)


class Whole:
    """A whole policy: detection, crisis rules, responders, guard.

    Args:
        name: as the report calls it.
        engine: started.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine

    async def answer(self, talk: str, said: Sequence[str], replies: Sequence[str]) -> str:
        """The reply that the person would get."""
        exchange = await self._engine.respond(said[-1], conversation_id=f"{self.name}-{talk}")
        return exchange.reply.text


def perplexity(local: Local, examples: Sequence[dict[str, Any]]) -> float | None:
    """How unlikely the checkpoint finds what supporters said, in nats a token as an exponential.

    Args:
        local: the checkpoint.
        examples: prompts and completions.
    """
    import torch

    model: Any = local.checkpoint
    lost, tokens = 0.0, 0
    for example in examples:
        told = [Message(role=m["role"], content=m["content"]) for m in example["prompt"]]
        prompt = list(model.tokens(told, 256))
        answer = model.tokenizer.encode(
            example["completion"][0]["content"], add_special_tokens=False
        )[:256]
        if not answer:
            continue
        ids = torch.tensor([[*prompt, *answer]])
        labels = torch.tensor([[-100] * len(prompt) + answer])
        with torch.inference_mode():
            found = model.loss(ids, labels)
        lost += float(found) * len(answer)
        tokens += len(answer)
    return math.exp(lost / tokens) if tokens else None
