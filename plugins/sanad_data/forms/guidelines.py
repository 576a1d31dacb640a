"""Clinical guidelines, Markdown or PDF: each heading asks, what stands under it answers."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanad_core.errors import ContentError, MissingExtra
from sanad_data.forms.form import Form, Input, alone
from sanad_data.reading.files import refuse, whole
from sanad_data.records import Draft, Reject, place_in
from sanad_data.talks import LONGEST
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from markdown_it.token import Token

    from sanad_data.records import Found

__all__ = ["GUIDELINE", "question"]

_ASKS = re.compile(
    r"(?:what|when|where|who|whom|why|which|how|is|are|can|could|do|does|should|will)\b",
    re.IGNORECASE,
)
_APPARATUS = re.compile(
    r"[\d.\s]*(?:(?:table of )?contents|references|bibliography|index|acknowledge?ments?)\W*",
    re.IGNORECASE,
)
_NUMBERING = re.compile(r"^\s*(?:\d+(?:\.\d+)*\.?|[A-Z]\.)\s+")
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^>]{0,200}>", re.DOTALL)
LARGER = 1.1  # times the size of the text: what is set as large as that is a heading
LONGEST_HEADING = 150  # characters; a longer line in large letters is no heading


@dataclass(slots=True)
class _Section:
    """A heading, what stands under it, and the headings that it stands under."""

    line: int
    level: float
    heading: str
    under: tuple[str, ...] = ()
    parts: list[str] = field(default_factory=list)
    leads: bool = False


def question(heading: str, under: Sequence[str] = ()) -> str:
    """The question that a heading stands for.

    Args:
        heading: if it is a question, it is taken as it stands.
        under: the headings above it, the outermost first; the nearest one is named.
    """
    heading = _NUMBERING.sub("", heading).strip().rstrip(":")
    if heading.endswith(("?", "؟")):
        return heading
    if _ASKS.match(heading):
        return f"{heading}?"
    about = f' in "{_NUMBERING.sub("", under[-1]).strip()}"' if under else ""
    return f'What does the guidance say about "{heading}"{about}?'


def _read(file: Input) -> Iterator[Found]:
    sections = _of_pdf(file) if file.kind == "pdf" else _of_markdown(file)
    for section in _nested(sections):
        yield from _pair(file, section)


def _nested(sections: list[_Section]) -> list[_Section]:
    """Sections with the headings above them."""
    above: list[_Section] = []
    for section in sections:
        while above and above[-1].level >= section.level:
            above.pop()
        section.under = tuple(outer.heading for outer in above)
        if above:
            above[-1].leads = True
        if section.heading:
            above.append(section)
    return sections


def _pair(file: Input, section: _Section) -> Iterator[Found]:
    place = place_in(file.path, section.line)
    text = "".join(section.parts).strip()
    if not text and section.leads:
        return  # it only holds other headings, whose questions name it
    reason = ""
    if not section.heading:
        reason = "stands before the first heading"
    elif _APPARATUS.fullmatch(section.heading):
        reason = "is a list of contents, references or the like"
    elif not text:
        reason = "is a heading with nothing under it"
    if reason:
        yield Reject(place=place, reason=reason, by_rule=True)
        return
    headings = (*section.under, section.heading)
    yield Draft(
        places=(place,),
        turns=(("person", question(section.heading, section.under)), ("supporter", text)),
        topic=section.under[0] if section.under else section.heading,
        conditions=conditions(*headings),
    )


def _of_markdown(file: Input) -> list[_Section]:
    """The sections of a Markdown file, their text without its marks."""
    from markdown_it import MarkdownIt

    raw = whole(file.path, LONGEST)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw.count(b"\n", 0, err.start) + 1
        refuse(file.path, "is not UTF-8; save it as UTF-8", line=line)
    front = re.match(r"---\r?\n.*?\r?\n---\r?\n", text, re.DOTALL)
    skipped = front[0].count("\n") if front else 0
    tokens = MarkdownIt("commonmark").enable("table").parse(text[front.end() :] if front else text)
    sections = [_Section(skipped + 1, 0, "")]
    for at, token in enumerate(tokens):
        if token.type == "inline" and tokens[at - 1].type == "heading_open":
            level, line = int(tokens[at - 1].tag[1]), (token.map or [0])[0] + skipped + 1
            sections.append(_Section(line, level, _plain(token)))
        elif token.type == "inline":
            sections[-1].parts.append(_lead(tokens[at - 1], tokens[at - 2]) + _plain(token))
        elif token.type in ("fence", "code_block"):
            sections[-1].parts.append("\n\n" + token.content.strip())
        elif token.type == "html_block" and (said := _TAG.sub("", token.content).strip()):
            sections[-1].parts.append(f"\n\n{said}")
    return sections if sections[0].parts else sections[1:]


def _lead(before: Token, outer: Token) -> str:
    """What stands between a text and the one before it: the mark of a list's item, or a gap."""
    if outer.type == "list_item_open":
        return f"\n{outer.info}{outer.markup} " if outer.info else "\n- "
    if before.type in ("td_open", "th_open"):
        return "\n" if outer.type == "tr_open" else " | "
    return "\n\n"


def _plain(token: Token) -> str:
    """The text of a run of Markdown."""
    texts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            texts.append("\n" if child.type == "hardbreak" else " ")
        elif child.type in ("text", "code_inline"):
            texts.append(child.content)
    return "".join(texts).strip()


@dataclass(slots=True)
class _Print:
    """A line of a page as it is set."""

    page: int
    size: float
    text: str


def _of_pdf(file: Input) -> list[_Section]:
    """The sections of a PDF; lines set larger than most of the text are the headings."""
    printed = _printed(file)
    if not printed:
        refuse(file.path, "holds no text, as a scan does; make its text readable (OCR) first")
    sizes: Counter[float] = Counter()
    for line in printed:
        sizes[line.size] += len(line.text)
    usual = sizes.most_common(1)[0][0]
    sections = [_Section(printed[0].page, 0, "")]
    before: _Print | None = None
    for line in printed:
        if line.size < usual * LARGER or len(line.text) > LONGEST_HEADING:
            _add(sections[-1], line.text)
        elif before is not None and before.size == line.size and sections[-1].heading:
            sections[-1].heading += f" {line.text}"  # a heading of two lines
        else:
            sections.append(_Section(line.page, -line.size, line.text))
        before = line
    return sections if sections[0].parts else sections[1:]


def _add(section: _Section, text: str) -> None:
    """Add a line to a section; a word that a hyphen divides becomes one again."""
    before = section.parts[-1] if section.parts else ""
    if before.endswith("-") and before[-2:-1].islower() and text[:1].islower():
        section.parts[-1] = before[:-1]
        section.parts.append(text)
    else:
        section.parts.append(f"\n{text}" if re.match(r"[•▪·*–-]\s", text) else f" {text}")


def _printed(file: Input) -> list[_Print]:
    try:
        import pypdf
    except ImportError:
        raise MissingExtra("data import", "data") from None
    import logging

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it tells of every flaw that it mends
    lines: list[_Print] = []
    raw = whole(file.path)
    try:
        reader = pypdf.PdfReader(io.BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            refuse(file.path, "is locked with a password; save it without one")
        for number, page in enumerate(reader.pages, start=1):
            lines.extend(_lines_of(page, number))
    except ContentError:
        raise
    except Exception:  # a broken file may break its reader in any way
        refuse(file.path, "is no PDF that can be read; save it anew, or as Markdown")
    return lines


def _lines_of(page: Any, number: int) -> list[_Print]:
    """The lines of a page, each with the size of its largest letters, in points."""
    lines: list[_Print] = [_Print(number, 0.0, "")]

    def visit(text: str, around: list[float], matrix: list[float], _: object, size: float) -> None:
        scale = abs(matrix[3] * around[3]) or 1.0
        for at, piece in enumerate(text.split("\n")):
            if at:
                lines.append(_Print(number, 0.0, ""))
            if piece.strip():
                lines[-1].size = max(lines[-1].size, round(size * scale, 1))
            lines[-1].text += piece

    page.extract_text(visitor_text=visit)
    return [_Print(number, line.size, line.text.strip()) for line in lines if line.text.strip()]


GUIDELINE = Form(
    name="guideline",
    title="a guideline: Markdown or PDF whose headings become questions",
    kinds=frozenset({"markdown", "pdf"}),
    read=alone(_read),
    fits=lambda file: (
        file.kind == "pdf" or bool(re.search(r"(?m)^#{1,6} |^[=-]{3,}\s*$", file.text))
    ),
)
