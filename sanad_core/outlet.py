"""Where a reply leaves while it is still being made; what has left stays part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sanad_core.types import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core.replies import Filled

__all__ = ["Outlet"]


class Outlet:
    """One turn's way out.

    Args:
        send: takes each piece of text, in order.
    """

    def __init__(self, send: Callable[[str], None]) -> None:
        self._send = send
        self._left = Reply(text="", responder="")
        self._opening: Reply | None = None
        self._fill: Callable[[str], Filled] | None = None

    def begin(self, opening: Reply | None, fill: Callable[[str], Filled]) -> None:
        """Say what leaves before the first sentence, and how helplines are written into each.

        Args:
            opening: the disclosure, where one is due.
            fill: writes helplines into a text.
        """
        self._opening = opening
        self._fill = fill

    @property
    def left(self) -> Reply | None:
        """The part of the reply that has left; None where nothing has."""
        return self._left if self._left.text else None

    def send(self, text: str) -> None:
        """Let a checked piece leave; space around it stays as it is."""
        assert self._fill is not None
        if not self._left.text and self._opening is not None:
            self._left = replace(self._opening, text="")
            self._give(self._opening.text + "\n\n")
        body = text.strip()
        if not body:
            return
        filled = self._fill(body)
        given = dict.fromkeys((*self._left.helplines, *filled.given))
        self._left = replace(self._left, helplines=tuple(given))
        before, _, after = text.partition(body)
        self._give(before + filled.text + after)

    def _give(self, text: str) -> None:
        self._left = replace(self._left, text=self._left.text + text)
        self._send(text)

    def completed(self, reply: Reply) -> Reply:
        """The reply as it must be stored: it begins with what has left.

        Args:
            reply: what the turn came to; where it does not go on from what has left, it follows.
        """
        left = self.left
        if left is None or reply.text.startswith(left.text):
            return reply
        return joined(left, reply)


def joined(first: Reply, second: Reply) -> Reply:
    """Two replies as one, the second below the first."""
    return replace(
        second,
        text=f"{first.text}\n\n{second.text}",
        helplines=tuple(dict.fromkeys((*first.helplines, *second.helplines))),
        scripts=(*first.scripts, *second.scripts),
        disclosed=first.disclosed or second.disclosed,
    )
