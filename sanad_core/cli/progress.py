"""The progress bar of commands: on standard error, and only where that is a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress"]


@contextmanager
def progress(
    name: str, total: int | None = None, *, beside_output: bool = False
) -> Iterator[Callable[[int], None]]:
    """A bar, or a count where the end is not known.

    Args:
        name: what is being done.
        total: how much there is to do; None: not known.
        beside_output: whether lines go to standard output meanwhile; none is shown then if that is
            the same terminal.

    Yields:
        A function that is told how much more is done.
    """
    if not sys.stderr.isatty() or (beside_output and sys.stdout.isatty()):
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    known = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    columns = (SpinnerColumn(), name, *(known if total is not None else (MofNCompleteColumn(),)))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as shown:
        task = shown.add_task("", total=total)
        yield lambda more: shown.advance(task, more)
