"""A model's text as it grows, handed on in whole sentences."""

from __future__ import annotations

from sanad_core.text import complete

__all__ = ["Whole"]


class Whole:
    """Takes what a model writes, and gives it on as sentences become complete."""

    def __init__(self) -> None:
        self.text = ""
        self._given = 0

    def take(self, text: str) -> str:
        """What is newly complete, the space after it included, which tells a reader so.

        Args:
            text: all of it, as far as it has come.
        """
        self.text = text
        ready = complete(self.text, self._given)
        return self._give(ready + 1) if ready > self._given else ""

    def end(self, *, cut: bool = False) -> str:
        """What is left at the end.

        Args:
            cut: the model was stopped, so an unfinished sentence is dropped if there is another.
        """
        return "" if cut and self._given else self._give(len(self.text))

    def _give(self, end: int) -> str:
        piece = self.text[self._given : end]
        self._given = end
        return piece
