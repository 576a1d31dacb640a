"""A server of the OpenAI chat API on a real socket, which answers or goes wrong as it is told."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Answer = Callable[["Request"], Awaitable[None]]

__all__ = ["ModelServer", "Request", "answers", "fails", "says"]


class Request:
    """One request, and the way back."""

    def __init__(self, path: str, body: dict[str, Any], headers: dict[str, str], writer: Any):
        self.path = path
        self.body = body
        self.headers = headers
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def head(self, status: str = "200 OK", kind: str = "text/event-stream", **more: str):
        lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", "Connection: close"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def piece(self, content: str | None = None, reason: str | None = None, **more: Any):
        delta = {"content": content, **more.pop("delta", {})}
        choice = {"index": 0, "delta": delta, "finish_reason": reason, **more}
        await self.event({"id": "1", "object": "chat.completion.chunk", "created": 1,
                          "model": "m", "choices": [choice]})  # fmt: skip

    async def event(self, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        await self.send(f"data: {text}\n\n".encode())

    async def json(self, status: str, body: Any, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.head(status, "application/json", Content_Length=str(len(data)), **headers)
        await self.send(data)


def says(*pieces: str, pause: float = 0.0, reason: str = "stop") -> Answer:
    """Answers with these pieces."""

    async def answer(request: Request) -> None:
        await request.head()
        for piece in pieces:
            await request.piece(piece)
            await asyncio.sleep(pause)
        await request.piece(None, reason)
        await request.event("[DONE]")

    return answer


def fails(status: str, body: Any = None, **headers: str) -> Answer:
    """Answers with an error."""

    async def answer(request: Request) -> None:
        await request.json(status, body or {"error": {"message": "no"}}, **headers)

    return answer


def answers(*each: Answer) -> Answer:
    """Answers the first request so, the second so; the last one from then on."""
    left = list(each)

    async def answer(request: Request) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request)

    return answer


class ModelServer:
    """Listens on a port of its own while it is entered.

    Args:
        answer: what it does with a chat request.
        models: what it says it serves.
    """

    def __init__(self, answer: Answer, models: Sequence[str] = ("sanad",)) -> None:
        self.answer = answer
        self.models = models
        self.chats: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.probes = 0
        self._busy: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Go away as a killed process does: connections break."""
        self._server.close()
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            await self._answered(reader, writer)
        except (ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            pass
        finally:
            self._busy.discard(task)
            writer.transport.abort() if task.cancelling() else writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

    async def _answered(self, reader: asyncio.StreamReader, writer: Any) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        path = lines[0].split(" ")[1]
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(path, json.loads(raw or b"{}"), headers, writer)
        if path.endswith("/health"):
            self.probes += 1
            await request.json("200 OK", {})
        elif path.endswith("/models"):
            data = [
                {"id": name, "object": "model", "created": 1, "owned_by": "x"}
                for name in self.models
            ]
            await request.json("200 OK", {"object": "list", "data": data})
        else:
            self.chats.append(request.body)
            self.keys.append(headers.get("authorization", ""))
            await self.answer(request)
