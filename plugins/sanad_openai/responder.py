"""A responder over the OpenAI chat API: prompt, failover between addresses, and whole sentences."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from sanad_core.errors import ContentError, ServiceError
from sanad_openai.endpoint import Endpoint
from sanad_persona import Whole, chosen_persona, prompt

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn
    from sanad_openai.options import OpenAIOptions

__all__ = ["ChatResponder"]

log = logging.getLogger("sanad")

MOST = 8000  # characters of a reply; a chat message is never longer


class ChatResponder:
    """Asks a model for a reply.

    Args:
        options: where it is and how it is asked.
    """

    def __init__(self, options: OpenAIOptions) -> None:
        self._options = options
        self._endpoints: list[Endpoint] = []

    async def warm(self, setting: Setting) -> None:
        """Read the persona and learn the addresses; a server that is down is none of its faults.

        Raises:
            ContentError: the persona is wrong, or an endpoint is not in sanad.yml.
        """
        import openai  # noqa: F401 - takes a second, which no person should wait

        options = self._options
        self._persona = chosen_persona(options.persona, setting.folder, titles=options.allow_titles)
        self._endpoints = [Endpoint(url, key, options) for url, key in _places(options, setting)]
        if options.probe:
            for endpoint in self._endpoints:
                await self._look(endpoint)

    async def _look(self, endpoint: Endpoint) -> None:
        """Tell early what would fail later."""
        try:
            models = await endpoint.models()
        except ServiceError as err:
            log.warning("no answer from %s yet (%s)", endpoint.url, err.code)
            return
        if models and self._options.model not in models:
            served = ", ".join(models)
            log.warning("%s serves %s; there is no '%s'", endpoint.url, served, self._options.model)

    async def respond(self, turn: Turn, context: Context) -> str:
        """The whole reply.

        Raises:
            Declined: the provider would not answer.
            ServiceError: no address gave a reply.
        """
        return "".join([piece async for piece in self.stream(turn, context)])

    async def stream(self, turn: Turn, context: Context) -> AsyncGenerator[str, None]:
        """The reply in whole sentences; of one cut off by its length, the complete ones.

        Raises:
            Declined: the provider would not answer.
            ServiceError: no address gave a reply, or it broke off.
        """
        budget = self._options.context_tokens
        told = prompt(self._persona, turn, context, budget=budget)
        messages = [{"role": message.role, "content": message.content} for message in told]
        whole = Whole()
        async with contextlib.aclosing(self._asked(messages)) as pieces:
            async for piece, ended in pieces:
                ready = whole.take(whole.text + piece)
                if len(whole.text) > MOST:
                    raise ServiceError("too_long")
                if ended:
                    ready += whole.end(cut=ended == "length")
                if ready:
                    yield ready

    async def _asked(self, messages: list[dict[str, str]]) -> AsyncGenerator[tuple[str, str], None]:
        """The first address that begins to answer; what follows can only come from it."""
        failed = ServiceError("no_address")
        for endpoint in self._endpoints:
            began = False
            try:
                async with contextlib.aclosing(endpoint.pieces(messages)) as pieces:
                    async for found in pieces:
                        began = True
                        yield found
                return
            except ServiceError as err:
                if began:
                    raise
                failed = err
        raise failed

    async def close(self) -> None:
        """Let the connections go."""
        for endpoint in self._endpoints:
            await endpoint.close()


def _places(options: OpenAIOptions, setting: Setting) -> Iterator[tuple[str, str | None]]:
    """Each address with its key."""
    if options.endpoint is None:
        urls = [options.base_url] if isinstance(options.base_url, str) else options.base_url
        yield from ((url, options.api_key) for url in urls)
        return
    known = {service.name: service for service in setting.endpoints}
    for name in [options.endpoint] if isinstance(options.endpoint, str) else options.endpoint:
        if name not in known:
            have = ", ".join(known) or "none"
            raise ContentError.about("sanad.yml", f"has no endpoint '{name}'; it has {have}")
        yield known[name].url, known[name].key
