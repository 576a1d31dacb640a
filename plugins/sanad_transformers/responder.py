"""The in-process responder: the prompt, a thread that writes, and pieces handed to the loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.errors import ServiceError
from sanad_persona import Whole, chosen_persona, prompt
from sanad_transformers.checkpoint import BOT, PERSON, Checkpoint, Source

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn
    from sanad_transformers import TransformersOptions

__all__ = ["LocalResponder"]


class LocalResponder:
    """Replies by a checkpoint in this process.

    Args:
        options: which, and how it writes.
    """

    def __init__(self, options: TransformersOptions) -> None:
        self._options = options

    def warm(self, setting: Setting) -> None:
        """Load the checkpoint and the persona.

        Raises:
            ContentError: one of them cannot be used.
        """
        options, folder = self._options, setting.folder or Path()
        self._persona = chosen_persona(options.persona, folder, titles=options.allow_titles)
        self._checkpoint = Checkpoint.of(
            Source(
                model=_placed(options.model, folder),
                adapter=None if options.adapter is None else _placed(options.adapter, folder),
                dtype=options.dtype,
                device=options.device,
            )
        )

    async def respond(self, turn: Turn, context: Context) -> str:
        """The whole reply.

        Raises:
            ServiceError: the model wrote nothing.
        """
        return "".join([piece async for piece in self.stream(turn, context)])

    async def stream(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        """The reply in whole sentences; of one cut off by its length, the complete ones.

        Raises:
            ServiceError: the model wrote nothing.
        """
        whole, ended = Whole(), False
        async with contextlib.aclosing(self._written(turn, context)) as pieces:
            async for piece, done in pieces:
                text = (whole.text + piece).lstrip()
                begun = _next_speaker(text)
                ended = done or begun is not None
                if ready := whole.take(text[:begun]):
                    yield ready
                if ended:
                    break
        if not whole.text.strip():
            raise ServiceError("empty_reply")
        if rest := whole.end(cut=not ended):
            yield rest

    async def _written(
        self, turn: Turn, context: Context
    ) -> AsyncGenerator[tuple[str, bool], None]:
        """Text as the model writes it, and whether it has come to its end."""
        options, model = self._options, self._checkpoint
        budget = max(0, min(options.context_tokens, model.length - options.max_tokens - 700))
        told = prompt(self._persona, turn, context, budget=budget, count=model.count)
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[tuple[str, bool] | BaseException] = asyncio.Queue()
        stopped = threading.Event()

        def give(item: tuple[str, bool] | BaseException) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is gone, and so is who asked
                loop.call_soon_threadsafe(pieces.put_nowait, item)

        def write() -> None:
            try:
                ended = model.write(
                    model.tokens(told, options.max_tokens),
                    lambda text: give((text, False)),
                    stopped,
                    most=options.max_tokens,
                    temperature=options.temperature,
                )
                give(("", True) if ended else StopAsyncIteration())
            except BaseException as err:
                give(err)

        threading.Thread(target=write, name="sanad-checkpoint", daemon=True).start()
        try:
            while True:
                item = await pieces.get()
                if isinstance(item, StopAsyncIteration):
                    return
                if isinstance(item, BaseException):
                    raise RuntimeError(type(item).__name__)
                yield item
        finally:
            stopped.set()


def _next_speaker(text: str) -> int | None:
    """Where a model without a form of its own begins to write the other's lines."""
    places = [at for name in (PERSON, BOT) if (at := text.find(f"\n{name}")) >= 0]
    return min(places, default=None)


def _placed(name: str, folder: Path) -> str:
    """A folder as seen from the policy, where there is one; else a hub id."""
    place = folder / name
    return str(place) if place.is_dir() else name
