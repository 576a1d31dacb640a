"""Whether what a command needs is installed; asked before it reads anything."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from sanad_core.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FOR_CLEANING", "FOR_COUNTING", "needs"]

FOR_COUNTING = ("datasketch", "matplotlib", "py3langid", "scipy")
FOR_CLEANING = ("datasketch", "ftfy", "presidio_analyzer", "py3langid", "spacy")


def needs(command: str, libraries: Iterable[str]) -> None:
    """See that libraries are there, without importing them.

    Args:
        command: that needs them, such as `data check`.
        libraries: their modules.

    Raises:
        MissingExtra: one is not.
    """
    if any(importlib.util.find_spec(library) is None for library in libraries):
        raise MissingExtra(command, "data")
