"""Talking to a server's model in the terminal, with nothing between."""

from __future__ import annotations

import sys

import click

from sanad_core.errors import MissingExtra, SanadError

__all__ = ["talk"]


class ChatError(SanadError):
    """The server gave no answer."""


def talk(url: str, model: str | None, most: int) -> None:
    """Read messages and print what the model says.

    Args:
        url: base URL of the API.
        model: the model's name; None: the first that the server names.
        most: tokens of a reply.

    Raises:
        ChatError: the server does not answer.
    """
    import importlib.util

    if importlib.util.find_spec("openai") is None:
        raise MissingExtra("model chat", "openai")
    import os

    import openai

    client = openai.OpenAI(base_url=url, api_key=os.environ.get("OPENAI_API_KEY", "none"))
    try:
        name = model or next((found.id for found in client.models.list()), "")
        click.echo(f"talking to '{name}' without policy or guard; end with Ctrl-D", err=True)
        said: list[dict[str, str]] = []
        while (line := _line()) is not None:
            said.append({"role": "user", "content": line})
            said.append({"role": "assistant", "content": _answer(client, name, said, most)})
    except openai.OpenAIError as err:
        status = getattr(err, "status_code", None)
        what = f"HTTP {status}" if status else type(err).__name__
        raise ChatError(f"the server at {url} gave no answer: {what}") from None


def _line() -> str | None:
    try:
        return input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None


def _answer(client: object, name: str, said: list[dict[str, str]], most: int) -> str:
    text = ""
    stream = client.chat.completions.create(  # type: ignore[attr-defined]
        model=name, messages=said, max_tokens=most, stream=True
    )
    for chunk in stream:
        piece = (chunk.choices[0].delta.content or "") if chunk.choices else ""
        text += piece
        click.echo(piece, nl=False)
    click.echo("")
    return text
