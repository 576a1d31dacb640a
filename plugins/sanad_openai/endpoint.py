"""One address of a model: its client, its circuit breaker, and tries that show nobody anything."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from sanad_core.errors import Declined, ServiceError
from sanad_core.text import duration
from sanad_openai.wire import Reading, declined, failure

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sanad_openai.options import OpenAIOptions

__all__ = ["Endpoint"]

PROBE_S = 1.0
WAIT_S = 1.5  # a server that asks for more patience than this is passed over
# What another try, or another moment, may mend; nothing had been shown when it happened.
_AGAIN = (
    "connection_refused", "connection_lost", "connection_failed", "no_connection",
    "http_408", "http_409", "http_429", "http_500", "http_502", "http_503", "http_504",
)  # fmt: skip
# The message's own fault, which says nothing about the server.
_OWN = ("http_400", "http_413", "http_422")


class _Late(Exception):
    """A try that failed, and how long the server asks to wait."""

    def __init__(self, error: ServiceError, after: float | None) -> None:
        super().__init__(error.code)
        self.error = error
        self.after = after


class Endpoint:
    """One address.

    Args:
        url: base URL of the API, such as `http://127.0.0.1:8000/v1`.
        key: its secret; None: it asks for none.
        options: of the responder.
    """

    def __init__(self, url: str, key: str | None, options: OpenAIOptions) -> None:
        from purgatory import AsyncCircuitBreakerFactory

        self.url = url.rstrip("/")
        self._key = key
        self._options = options
        self._client: Any = None
        self._doubtful = False
        self._first = duration(options.first_token).total_seconds()
        self._idle = duration(options.idle).total_seconds()
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=options.failures,
            default_ttl=duration(options.rest).total_seconds(),
            exclude=[Declined, (ServiceError, lambda error: error.code in _OWN)],
        )

    async def pieces(self, messages: list[dict[str, str]]) -> AsyncGenerator[tuple[str, str], None]:
        """The reply's texts, each with why the model stopped, empty while it has not.

        Raises:
            Declined: the provider would not answer.
            ServiceError: nothing usable came, or it broke off.
        """
        stream, reading, text = await self._guarded(messages)
        try:
            while True:
                if text:
                    yield text, ""
                chunk = await self._next(stream, self._idle, began=True)
                if chunk is None:
                    break
                text = reading.text(chunk)
            reading.close()
        except ServiceError as err:
            await self._count(err)
            raise
        finally:
            await _closed(stream)
        yield "", reading.ended or ""

    async def _guarded(self, messages: list[dict[str, str]]) -> tuple[Any, Reading, str]:
        """The stream and its first text, within the breaker."""
        from purgatory.domain.model import OpenedState

        breaker = await self._breakers.get_breaker("address")
        try:
            async with breaker:
                if self._doubtful and self._options.probe:
                    await self._probe()
                found = await self._begun(messages)
        except OpenedState:
            raise ServiceError("circuit_open") from None
        except ServiceError:
            self._doubtful = True
            raise
        self._doubtful = False
        return found

    async def _begun(self, messages: list[dict[str, str]]) -> tuple[Any, Reading, str]:
        """Try until the first text is there; up to then nothing was shown, so a try is safe."""
        import tenacity

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome is not None else None
            asked = error.after if isinstance(error, _Late) else None
            jitter = tenacity.wait_random_exponential(multiplier=0.1, max=1)(state)
            return jitter if asked is None else asked + jitter

        def again(error: BaseException) -> bool:
            late = isinstance(error, _Late) and (error.after or 0.0) <= WAIT_S
            return late and isinstance(error, _Late) and error.error.code in _AGAIN

        tries = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(1 + self._options.retries),
            wait=wait,
            retry=tenacity.retry_if_exception(again),
            reraise=True,
        )
        try:
            found: tuple[Any, Reading, str] = await tries(self._once, messages)
        except _Late as err:
            raise err.error from None
        return found

    async def _once(self, messages: list[dict[str, str]]) -> tuple[Any, Reading, str]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._first
        stream: Any = None
        reading = Reading()
        try:
            async with asyncio.timeout(self._first):
                stream = await self._opened(messages)
            while True:
                chunk = await self._next(stream, ends - loop.time(), began=False)
                if chunk is None:
                    reading.close()
                    raise ServiceError("empty_reply")
                text = reading.text(chunk)
                if text.strip():
                    return stream, reading, text
        except BaseException as err:
            await _closed(stream)
            if isinstance(err, ServiceError):
                raise _Late(err, None) from None
            if isinstance(err, Declined) or not isinstance(err, Exception):
                raise
            refused = declined(err)
            if refused is not None:
                raise refused from None
            raise _Late(failure(err, began=False), _retry_after(err)) from None

    async def _opened(self, messages: list[dict[str, str]]) -> Any:
        options = self._options
        return await self._sdk().chat.completions.create(
            model=options.model,
            messages=messages,
            max_tokens=options.max_tokens,
            temperature=options.temperature,
            stream=True,
        )

    def _sdk(self) -> Any:
        """The client, made on the loop that uses it; tries are counted here, not in it."""
        import openai

        if self._client is None:
            connect = duration(self._options.connect).total_seconds()
            patience = max(self._first, self._idle) + 1
            self._client = openai.AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self.url,
                max_retries=0,
                timeout=openai.Timeout(patience, connect=connect),
            )
        return self._client

    async def _next(self, stream: Any, seconds: float, *, began: bool) -> Any:
        """The next chunk; None at the end of the stream."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                return await stream.__anext__()
        except StopAsyncIteration:
            return None
        except Exception as err:
            raise failure(err, began=began) from None

    async def _probe(self) -> None:
        """Ask a server that failed before whether it is well again."""
        root = self.url.removesuffix("/v1")
        try:
            async with asyncio.timeout(PROBE_S):
                await self._sdk().get(f"{root}/health", cast_to=str)
        except Exception as err:
            raise failure(err, began=False) from None

    async def models(self) -> tuple[str, ...]:
        """The names of the models that the server serves.

        Raises:
            ServiceError: it does not say.
        """
        try:
            async with asyncio.timeout(PROBE_S):
                return tuple([model.id async for model in self._sdk().models.list()])
        except Exception as err:
            raise failure(err, began=False) from None

    async def _count(self, error: ServiceError) -> None:
        """Let the breaker know of a reply that broke off."""
        self._doubtful = True
        breaker = await self._breakers.get_breaker("address")
        with contextlib.suppress(Exception):
            async with breaker:
                raise error

    async def close(self) -> None:
        """Let the connections go."""
        if self._client is not None:
            await self._client.close()


def _retry_after(error: BaseException) -> float | None:
    """Seconds that the server asks to wait, where it does."""
    response = getattr(error, "response", None)
    try:
        return float(response.headers["retry-after"]) if response is not None else None
    except (KeyError, ValueError):
        return None


async def _closed(stream: Any) -> None:
    if stream is not None:
        with contextlib.suppress(Exception):
            await stream.close()
