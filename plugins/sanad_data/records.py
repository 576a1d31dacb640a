"""What the readers of forms give: conversations as drafts, and records that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Draft", "Found", "Place", "Reject", "Role", "place_in", "pseudonym"]

Role: TypeAlias = Literal["person", "supporter"]


class Place(NamedTuple):
    """Where a record stands.

    Args:
        file: its path, as the user gave it.
        line: 1-based; the paragraph of a .docx, the page of a PDF.
    """

    file: str
    line: int


def place_in(path: Path, line: int) -> Place:
    """The place of a line of a file, whose name may be of any bytes."""
    return Place(str(path).encode("utf-8", "replace").decode(), line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A conversation as its file gives it.

    Args:
        places: the records that it is made of and that no other conversation counts; never empty.
        turns: who said what, in order; empty ones are left out later.
        topic: as the file says.
        group: the person or the thread that it is of.
        source: where it is from, if that is more than the form tells.
        conditions: of Sanad's list; empty: those that the topic names.
        reviewed_by: professionals who read it.
        labels: what the file says of the person's text.
        alone: whether it may be without a supporter.
    """

    places: tuple[Place, ...]
    turns: tuple[tuple[Role, str], ...]
    topic: str = ""
    group: str = ""
    source: str = ""
    conditions: tuple[str, ...] = ()
    reviewed_by: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A record that becomes no conversation.

    Args:
        place: where it stands.
        reason: why, in one line; never its text.
        by_rule: it is sound but not wanted, such as a post that was removed: counted and listed,
            but no fault of the file.
    """

    place: Place
    reason: str
    by_rule: bool = False


Found: TypeAlias = Draft | Reject


def pseudonym(*parts: str) -> str:
    """A short code for a handle or an id, the same each time, so that neither is kept.

    Whoever guesses a handle can make its code: `sanad data clean` gives groups names with a key.
    """
    import hashlib

    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
