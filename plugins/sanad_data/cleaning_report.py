"""The report of a cleaning: what was removed and why, as Markdown and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sanad_data.talks import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sanad_data.cleaning import Cleaned

__all__ = ["reports_of", "summary", "write"]


def reports_of(out: Path) -> tuple[Path, Path]:
    """The reports beside an output: Markdown and JSON."""
    return out.with_name(f"{out.name}.report.md"), out.with_name(f"{out.name}.report.json")


def write(cleaned: Cleaned, out: Path) -> None:
    """Write both reports.

    Args:
        cleaned: what became of the conversations.
        out: the output that they are about.
    """
    markdown, data = reports_of(out)
    with written(data) as file:
        json.dump(_data(cleaned), file, ensure_ascii=False, indent=1)
        file.write("\n")
    with written(markdown) as file:
        file.writelines(f"{line}\n" for line in _markdown(cleaned, out.name))


def summary(cleaned: Cleaned, out: Path) -> str:
    """What became of the conversations, in one line."""
    removed = cleaned.removed.total()
    return (
        f"{cleaned.talks:,} conversations in: {cleaned.kept:,} in {out}, {removed:,} removed; "
        f"{cleaned.turns.total():,} unsafe answers taken out, {cleaned.crisis:,} conversations "
        f"marked as crises, {cleaned.scrubbed.total():,} pieces of personal data under pseudonyms"
    )


def _data(cleaned: Cleaned) -> dict[str, Any]:
    return {
        "talks": cleaned.talks,
        "kept": cleaned.kept,
        "removed": dict(cleaned.removed.most_common()),
        "unsafe_answers": dict(cleaned.turns.most_common()),
        "mended_turns": cleaned.mended,
        "crisis": cleaned.crisis,
        "not_screened": cleaned.unread,
        "pseudonyms": dict(cleaned.scrubbed.most_common()),
        "wrong_lines": cleaned.wrong,
        "samples": cleaned.samples,
    }


def _markdown(cleaned: Cleaned, name: str) -> Iterator[str]:
    yield from (f"# Cleaning of {name}", "")
    yield from _table(
        ("", "conversations"),
        [
            ("in", cleaned.talks),
            ("kept", cleaned.kept),
            ("removed", cleaned.removed.total()),
            ("marked as crises", cleaned.crisis),
            ("not screened, since a detector failed", cleaned.unread),
        ],
    )
    parts = (
        ("Removed conversations", ("why", "conversations"), cleaned.removed),
        ("Unsafe answers taken out", ("rule of the guard", "answers"), cleaned.turns),
        ("Personal data under pseudonyms", ("type", "places"), cleaned.scrubbed),
    )
    for title, head, counts in parts:
        yield from (f"## {title}", "")
        yield from _table(head, counts.most_common())
    yield from (
        f"{cleaned.mended:,} turns were mended; {cleaned.wrong:,} lines were no conversation.",
        "",
    )
    yield from ("## Samples of what was removed", "")
    yield from ("Personal data that the recognisers find is under pseudonyms here.", "")
    for reason, texts in sorted(cleaned.samples.items()):
        yield from (f"- {reason}: {_quoted(text)}" for text in texts)


def _quoted(text: str) -> str:
    plain = text.replace("`", "'")
    return f"`{plain}`"


def _table(head: tuple[str, str], rows: Iterable[tuple[str, int]]) -> Iterator[str]:
    yield f"| {head[0]} | {head[1]} |"
    yield "|---|---|"
    yield from (f"| {name} | {count:,} |" for name, count in rows)
    yield ""
