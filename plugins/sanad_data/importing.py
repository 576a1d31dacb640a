"""Import: files of any form in, one conversation a line out; what is none goes to the rejects."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sanad_core.errors import ContentError, UsageError
from sanad_core.problems import did_you_mean, one_of
from sanad_core.schema import first_error
from sanad_data.forms import FORMS
from sanad_data.forms.recognise import as_form, form_of, look
from sanad_data.reading.files import NOT_UTF8, TOO_LONG, is_text
from sanad_data.records import Place, Reject
from sanad_data.talks import LONGEST, Said, Talk, written
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from sanad_data.forms.form import Form, Input
    from sanad_data.records import Draft, Found

__all__ = ["Counts", "Wanted", "check", "rejects_of", "run"]

MOST_REASONS = 3  # that a message names
# Keys whose values are somebody's words, or may be.
_SECRET = ("turns", "topic", "labels", "source", "reviewed_by", "group")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a run.

    Args:
        files: what is read, in this order.
        out: where conversations are written.
        form: of all the files; None: each file's own is recognised.
        source: where they are all from; empty: what their form or file says.
        licence: under which they may be used; empty: not known.
        topic: of those whose file gives none.
        reject_over: the share of wrong records that is too many.
    """

    files: tuple[Path, ...]
    out: Path
    form: str | None = None
    source: str = ""
    licence: str = ""
    topic: str = ""
    reject_over: float = 0.05


@dataclass(slots=True)
class Counts:
    """What became of the records; a record is a row, an element or a turn, as the form has it."""

    talks: int = 0
    taken: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rejects(self) -> int:
        """Records that are in no conversation."""
        return self.wrong.total() + self.left_out.total()

    @property
    def records(self) -> int:
        """Records that came in: each was taken or is a reject."""
        return self.taken + self.rejects

    def share(self) -> float:
        """The share of wrong records among all that are not left out by rule."""
        judged = self.taken + self.wrong.total()
        return self.wrong.total() / judged if judged else 0.0


def rejects_of(out: Path) -> Path:
    """The file of what is rejected beside an output."""
    return out.with_name(f"{out.name}.rejects.jsonl")


def run(wanted: Wanted, tell: Callable[[int], None] = lambda _: None) -> Counts:
    """Import files.

    Where a file breaks off, no output is written, and the rejects say where it did. Where too many
    records are wrong, both are written all the same.

    Args:
        wanted: what to do.
        tell: is told of each record that is done.

    Raises:
        UsageError: what is asked cannot be done.
        ContentError: a file cannot be read.
    """
    _check(wanted)
    counts = Counts()
    broken: ContentError | None = None
    with written(rejects_of(wanted.out)) as rejects:
        try:
            forms = _forms(wanted)
            with written(wanted.out) as out:
                for form, files in forms:
                    _import(form, files, wanted, counts, _Files(out, rejects), tell)
        except ContentError as err:
            broken = err
            for problem in err.problems:
                _write(rejects, Place(problem.file, problem.line), problem.message)
    if broken is not None:
        raise broken
    return counts


def check(counts: Counts, wanted: Wanted) -> None:
    """See that enough came of a run.

    Raises:
        ContentError: too many records are wrong, or no conversation came of them.
    """
    often = ", ".join(
        f"'{reason}' ({count})"
        for reason, count in (counts.wrong + counts.left_out).most_common(MOST_REASONS)
    )
    if counts.share() > wanted.reject_over:
        judged = counts.taken + counts.wrong.total()
        said = (
            f"{counts.wrong.total()} of {judged} records are wrong ({counts.share():.1%}), more "
            f"than --reject-over {wanted.reject_over:g}; most often {often}"
        )
    elif not counts.talks:
        said = f"no conversation came of {counts.records} records" + (often and f": {often}")
    else:
        return
    raise ContentError.about(rejects_of(wanted.out), said)


@dataclass(frozen=True, slots=True)
class _Files:
    """Where a run writes."""

    out: TextIO
    rejects: TextIO


def _check(wanted: Wanted) -> None:
    if wanted.form is not None and wanted.form not in FORMS:
        hint = did_you_mean(wanted.form, FORMS) or f"; there is {one_of(FORMS)}"
        raise UsageError(f"--form: no form is named '{wanted.form}'{hint}")
    if wanted.out.is_dir():
        raise UsageError(f"--out takes the name of a file, and '{wanted.out}' is a folder")
    outs = {wanted.out.resolve(), rejects_of(wanted.out).resolve()}
    for path in wanted.files:
        if path.resolve() in outs:
            raise UsageError(f"--out '{wanted.out}' would write over '{path}', which is read")


def _forms(wanted: Wanted) -> list[tuple[Form, list[Input]]]:
    """The forms of the files, each with its files: some forms join what is in several."""
    found: dict[str, list[Input]] = {}
    for file in map(look, dict.fromkeys(wanted.files)):
        form = FORMS[wanted.form] if wanted.form is not None else form_of(file)
        found.setdefault(form.name, []).append(as_form(file, form))
    return [(FORMS[name], files) for name, files in found.items()]


def _import(
    form: Form,
    files: Sequence[Input],
    wanted: Wanted,
    counts: Counts,
    to: _Files,
    tell: Callable[[int], None],
) -> None:
    for found in _made(form.read(files), form, wanted):
        if isinstance(found, Reject):
            (counts.left_out if found.by_rule else counts.wrong)[found.reason] += 1
            _write(to.rejects, found.place, found.reason, by_rule=found.by_rule)
            tell(1)
        else:
            line, records = found
            to.out.write(f"{line}\n")
            counts.talks += 1
            counts.taken += records
            tell(records)


def _write(file: TextIO, place: Place, reason: str, *, by_rule: bool = False) -> None:
    data: dict[str, Any] = {"file": place.file, "line": place.line, "reason": reason}
    if by_rule:
        data["by_rule"] = True
    file.write(json.dumps(data, ensure_ascii=False) + "\n")


def _made(found: Iterable[Found], form: Form, wanted: Wanted) -> Iterator[tuple[str, int] | Reject]:
    """The line of each conversation with the number of its records, and the rejects."""
    numbers: Counter[str] = Counter()
    for item in found:
        if isinstance(item, Reject):
            yield item
            continue
        code = _code(item.places[0])
        numbers[code] += 1
        talk = _talk(item, f"{form.name}-{code}-{numbers[code]}", form, wanted)
        line = talk if isinstance(talk, str) else talk.line()
        if isinstance(talk, str) or len(line.encode()) > LONGEST:
            reason = talk if isinstance(talk, str) else f"is of a conversation that {TOO_LONG}"
            for place in item.places:
                yield Reject(place=place, reason=reason)
        else:
            yield line, len(item.places)


def _talk(draft: Draft, name: str, form: Form, wanted: Wanted) -> Talk | str:
    """The conversation of a draft, or what is wrong with it."""
    turns = [(role, text.strip()) for role, text in draft.turns if text.strip()]
    if not turns:
        return "holds nothing that is said"
    lacking = {"person", *(() if draft.alone else ("supporter",))} - {role for role, _ in turns}
    if lacking:
        return f"holds nothing that a {min(lacking)} says"
    if not all(is_text(text) for _, text in turns):
        return f"{NOT_UTF8} in all of its text"
    topic = draft.topic.strip() or wanted.topic
    try:
        return Talk(
            id=name,
            turns=[Said(role=role, text=text) for role, text in turns],
            source=wanted.source or draft.source or form.source or _name(draft.places[0]),
            licence=wanted.licence,
            topic=topic,
            conditions=list(draft.conditions or conditions(topic)),
            group=draft.group,
            reviewed_by=list(draft.reviewed_by),
            labels=draft.labels,
        )
    except ValidationError as err:
        return first_error(err, Talk, secret=_SECRET)


def _name(place: Place) -> str:
    return place.file.replace("\\", "/").rpartition("/")[2]


def _code(place: Place) -> str:
    """A short code for a file in ids, which are the same wherever the file lies."""
    return hashlib.sha256(_name(place).encode()).hexdigest()[:8]
