"""A data card in Markdown, the same as JSON, and one HTML page with plots; no text is in them."""

from __future__ import annotations

import dataclasses
import html
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sanad_data.figures import as_json as figures_json
from sanad_data.language import UNKNOWN

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterable, Iterator, Sequence

    from sanad_data.checking import Finding, Status
    from sanad_data.figures import Gathered

__all__ = [
    "Checked",
    "as_card",
    "as_html",
    "as_json",
    "as_markdown",
    "figure_blocks",
    "finding_blocks",
]

_VERDICTS: dict[Status, str] = {
    "pass": "Every requirement is met.",
    "warn": "No requirement fails; what is recommended is not all there.",
    "fail": "A requirement fails: not to be trained on as it is.",
}
# What the Hub calls sizes, by the first number of conversations that is too many for them.
_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
_LIMITS = (
    "- A licence, a condition or a review is what a source says; nobody vouches for it here.",
    "- Conditions say what a conversation is about. They are no diagnoses.",
    "- Words are what stands between spaces; languages are told by a model; near-duplicates by "
    "MinHash of word pairs (Jaccard similarity of 0.8 or more).",
    "- Whoever trains on these conversations reads some first: `sanad data show FILE`.",
)
_STYLE = (
    "body{font:16px sans-serif;max-width:72em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #ccc;padding:.3em .6em;"
    "text-align:left;overflow-wrap:anywhere}svg{max-width:100%;height:auto}"
    ".pass td:first-child{background:#d8f0d8}.warn td:first-child{background:#fdf0c8}"
    ".fail td:first-child{background:#f8d0d0}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of cells under heads."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block: TypeAlias = str | Table  # a line that begins with `# `, `## ` or `- ` is what it is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Files that were checked.

    Args:
        name: of the whole.
        gathered: the files as they were read.
        findings: one for each requirement.
    """

    name: str
    gathered: Gathered
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Status:
        """The worst of the findings."""
        found = {finding.status for finding in self.findings}
        return "fail" if "fail" in found else "warn" if "warn" in found else "pass"


def as_json(checked: Checked) -> dict[str, Any]:
    """Every finding and figure, and a digest of each file."""
    return {
        "name": checked.name,
        "verdict": checked.verdict,
        "findings": [dataclasses.asdict(finding) for finding in checked.findings],
        "figures": figures_json(checked.gathered.whole),
        "files": list(_files(checked.gathered)),
    }


def _files(gathered: Gathered) -> Iterator[dict[str, Any]]:
    import hashlib

    for path, part in zip(gathered.files, gathered.parts, strict=True):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield {
            "file": path.name,
            "conversations": part.conversations,
            "pairs": part.pairs,
            "groups": len(part.groups),
            "conditions": dict(part.conditions.most_common()),
            "sha256": digest,
        }


def finding_blocks(findings: Sequence[Finding]) -> Iterator[Block]:
    """The findings as a table, and what to do about those that are not met."""
    rows = [(f.status, f.name, f.found, f.wanted) for f in findings]
    yield _table(("", "requirement", "found", "wanted"), rows)
    for finding in findings:
        if finding.status != "pass":
            places = f" ({'; '.join(finding.places[:3])})" if finding.places else ""
            yield f"- {finding.name}: {_cell(finding.fix + places)}"


def figure_blocks(data: dict[str, Any]) -> Iterator[Block]:
    """Figures as tables.

    Args:
        data: as `as_json` of figures gives them.
    """
    names = ("conversations", "pairs", "turns", "groups", "reviewed", "reviewers")
    yield _table(names, [[data[name] for name in names]])
    heads = ("source", "licence", "conversations")
    sources = [(s["source"], s["licence"] or "not known", s[heads[2]]) for s in data["sources"]]
    yield _table(heads, sources)
    for name in ("conditions", "topics", "languages", "crisis"):
        counts = [(key, count) for key, count in data[name].items() if count]
        if counts:
            yield _table((name, "conversations"), counts)
    lengths = [(name, *found.values()) for name, found in data["length"].items() if found]
    yield _table(("length", "5%", "median", "95%", "longest"), lengths)


def _table(heads: Iterable[object], rows: Iterable[Iterable[object]]) -> Table:
    cells = tuple(tuple(map(_cell, row)) for row in rows)
    return Table(heads=tuple(map(_cell, heads)), rows=cells)


def _cell(value: object) -> str:
    """A value in one line."""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.split())


def as_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown.

    Args:
        blocks: headings, paragraphs, items and tables.
    """
    lines: list[str] = []
    listed = False
    for block in blocks:
        item = isinstance(block, str) and block.startswith("- ")
        lines += [""] if lines and not (item and listed) else []
        lines += [_safe(block)] if isinstance(block, str) else _table_lines(block)
        listed = item
    return "\n".join(lines) + "\n"


def _table_lines(table: Table) -> Iterator[str]:
    for number, row in enumerate((table.heads, *table.rows)):
        yield f"| {' | '.join(_safe(cell).replace('|', chr(92) + '|') for cell in row)} |"
        if number == 0:
            yield f"|{'---|' * len(row)}"


def _safe(text: str) -> str:
    """A text without HTML of its own, whatever a source calls itself."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def as_card(checked: Checked, data: dict[str, Any]) -> str:
    """The data card; its head is what the Hugging Face Hub reads.

    Args:
        checked: the files.
        data: as `as_json` gives them.
    """
    import yaml

    head = yaml.safe_dump(_head(checked), sort_keys=False, allow_unicode=True)
    body = as_markdown([f"# {_cell(checked.name)}", *_blocks(checked, data)])
    return f"---\n{head}---\n\n{body}"


def _head(checked: Checked) -> dict[str, Any]:
    whole = checked.gathered.whole
    licences = {licence.lower().replace(" ", "-") for _, licence in whole.sources}
    languages = (code for name, _ in whole.languages.most_common() for code in name.split("+"))
    size = (name for most, name in _SIZES.items() if whole.conversations < most)
    return {
        "pretty_name": checked.name,
        "license": licences.pop() if len(licences) == 1 and "" not in licences else "other",
        "language": [code for code in dict.fromkeys(languages) if code != UNKNOWN],
        "task_categories": ["text-generation"],
        "size_categories": [next(size, "n>1M")],
        "tags": ["mental-health", "conversational"],
    }


def _blocks(checked: Checked, data: dict[str, Any]) -> Iterator[Block]:
    yield "Conversations between a person and a supporter, to fine-tune a model of support."
    yield "## Requirements"
    yield _VERDICTS[checked.verdict]
    yield from finding_blocks(checked.findings)
    yield "## Figures"
    yield from figure_blocks(data["figures"])
    yield "## Files"
    names = ("file", "conversations", "pairs", "groups", "sha256")
    yield _table(names, [[file[name] for name in names] for file in data["files"]])
    yield "## Limits"
    yield from _LIMITS


def as_html(checked: Checked, data: dict[str, Any]) -> str:
    """One page with the card's tables and plots, no script and nothing from outside.

    Args:
        checked: the files.
        data: as `as_json` gives them.
    """
    title = html.escape(checked.name)
    blocks = "".join(map(_html, _blocks(checked, data)))
    return (
        f"<!doctype html><meta charset='utf-8'><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1>{blocks}<h2>Plots</h2>{_plots(checked.gathered, data)}\n"
    )


def _html(block: Block) -> str:
    if isinstance(block, Table):
        heads = "".join(f"<th>{html.escape(cell)}</th>" for cell in block.heads)
        return f"<table><tr>{heads}</tr>{''.join(map(_html_row, block.rows))}</table>"
    if block.startswith("## "):
        return f"<h2>{html.escape(block[3:])}</h2>"
    text = f"• {block[2:]}" if block.startswith("- ") else block
    return f"<p>{html.escape(text)}</p>"


def _html_row(row: Sequence[str]) -> str:
    name = f" class='{row[0]}'" if row[0] in _VERDICTS else ""
    return f"<tr{name}>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"


def _plots(gathered: Gathered, data: dict[str, Any]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 8), layout="constrained")
    conditions, files, words, turns = figure.subplots(2, 2).flat
    whole = gathered.whole
    _bars(conditions, data["figures"]["conditions"], "conversations by condition")
    # A legend reads $ as mathematics, and a font has not every script.
    names = [f["file"].encode("ascii", "replace").decode().replace("$", "S") for f in data["files"]]
    counts = [file["conversations"] for file in data["files"]]
    _bars(files, dict(zip(names, counts, strict=True)), "conversations by file")
    _lengths(words, {"person": whole.person, "supporter": whole.supporter}, "words of a turn")
    _lengths(turns, {"conversation": whole.turns}, "turns of a conversation")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]


def _bars(axes: Any, counts: dict[str, int], title: str) -> None:
    axes.barh(list(counts), list(counts.values()), color="#4878a8")
    axes.invert_yaxis()
    axes.set_title(title)


def _lengths(axes: Any, values: dict[str, array[int]], title: str) -> None:
    """How often each length is; the longest one in a hundred are counted with the last bar."""
    import numpy as np

    there = {name: np.asarray(found) for name, found in values.items() if found}
    most = max((float(np.percentile(found, 99)) for found in there.values()), default=1.0)
    bins = np.linspace(0, max(most, 1.0), 40)
    for name, found in there.items():
        axes.hist(np.minimum(found, most), bins=bins, alpha=0.6, label=name)
    axes.set_title(title)
    if there:
        axes.legend()
