"""Problems in files: where, what, and what to do; shown with the line they stand in."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Problem", "did_you_mean", "one_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or worth knowing, in a file.

    Args:
        file: path as the user gave it.
        line: 1-based; 0 where the whole file is meant.
        column: 1-based; 0 where the whole line or file is meant.
        message: what is wrong and what to do, in one line.
        source: the line of the file, as it stands there.
        warning: True where the exit code stays 0.
    """

    file: str
    line: int = 0
    column: int = 0
    message: str
    source: str = ""
    warning: bool = False

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {'warning: ' if self.warning else ''}{self.message}"

    def shown(self) -> str:
        """The problem, its source line, and a caret under the column."""
        if not self.source.strip():
            return str(self)
        gutter = f"{self.line:>5} | "
        caret = " " * (len(gutter) + max(self.column - 1, 0)) + "^"
        return f"{self}\n{gutter}{self.source}\n{caret}"


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """A hint with the nearest valid word, ready to append to a message; empty if none is near."""
    near = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def one_of(valid: Iterable[str]) -> str:
    """The valid words, for a message: `a, b or c`."""
    words = list(valid)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
