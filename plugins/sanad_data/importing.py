"""Import: files of any form in, one conversation a line out; what is none goes to the rejects."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError, UsageError
from sanad_core.problems import did_you_mean, one_of
from sanad_data.forms import FORMS
from sanad_data.forms.recognise import as_form, form_of, look
from sanad_data.making import Known, made, named, weight
from sanad_data.records import Place, Reject
from sanad_data.spread import spread
from sanad_data.talks import check_out, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TextIO

    from sanad_data.forms.form import Form, Input
    from sanad_data.making import Taken
    from sanad_data.records import Found

__all__ = ["Counts", "Wanted", "check", "rejects_of", "run"]

MOST_REASONS = 3  # that a message names


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a run.

    Args:
        files: what is read, in this order.
        out: where conversations are written.
        form: of all the files; None: each file's own is recognised.
        source: where they are all from; empty: what their form or file says, else a code for it.
        licence: under which they may be used; empty: not known.
        topic: of those whose file gives none.
        reject_over: the share of wrong records that is too many.
        workers: processes that make conversations; None: one for each core.
        ray: the address of a Ray cluster that makes them instead.
    """

    files: tuple[Path, ...]
    out: Path
    form: str | None = None
    source: str = ""
    licence: str = ""
    topic: str = ""
    reject_over: float = 0.05
    workers: int | None = None
    ray: str | None = None


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

    Where a file breaks off, no output is written, one of an earlier run is removed, and the rejects
    say where it did. Where too many records are wrong, both are written all the same.

    Args:
        wanted: what to do.
        tell: is told of each record that is done.

    Raises:
        UsageError: what is asked cannot be done.
        ContentError: a file cannot be read.
        MissingExtra: Ray is not installed.
    """
    _check(wanted)
    counts = Counts()
    with written(wanted.out) as out:
        with written(rejects_of(wanted.out)) as rejects:
            broken = _imported(wanted, _Running(out, rejects, counts, tell))
            # No output of an earlier run may stand beside these rejects.
            wanted.out.unlink(missing_ok=True)
        if broken is not None:
            raise broken
    return counts


def _imported(wanted: Wanted, run: _Running) -> ContentError | None:
    """Import all files.

    Returns:
        Why one cannot be read, which is among the rejects too; None: all were.
    """
    try:
        for form, files in _forms(wanted):
            _import(form, files, wanted, run)
    except ContentError as err:
        for problem in err.problems:
            _write(run.rejects, Place(problem.file, problem.line), problem.message)
        return err
    return None


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
class _Running:
    """Where a run writes, and what it counts."""

    out: TextIO
    rejects: TextIO
    counts: Counts
    tell: Callable[[int], None]

    def take(self, done: Taken) -> None:
        self.out.write(f"{done.line}\n")
        self.counts.talks += 1
        self.counts.taken += done.records
        self.tell(done.records)

    def reject(self, done: Reject) -> None:
        counted = self.counts.left_out if done.by_rule else self.counts.wrong
        counted[done.reason] += 1
        _write(self.rejects, done.place, done.reason, by_rule=done.by_rule)
        self.tell(1)


def _check(wanted: Wanted) -> None:
    if wanted.form is not None and wanted.form not in FORMS:
        hint = did_you_mean(wanted.form, FORMS) or f"; there is {one_of(FORMS)}"
        raise UsageError(f"--form: no form is named '{wanted.form}'{hint}")
    check_out(wanted.out, wanted.files, rejects_of(wanted.out))


def _forms(wanted: Wanted) -> list[tuple[Form, list[Input]]]:
    """The forms of the files, each with its files: some forms join what is in several."""
    found: dict[str, list[Input]] = {}
    for file in map(look, dict.fromkeys(wanted.files)):
        form = FORMS[wanted.form] if wanted.form is not None else form_of(file)
        found.setdefault(form.name, []).append(as_form(file, form))
    return [(FORMS[name], files) for name, files in found.items()]


def _import(form: Form, files: Sequence[Input], wanted: Wanted, run: _Running) -> None:
    known = Known(wanted.source, form.source, wanted.licence, wanted.topic)
    broken: list[ContentError] = []
    drafts = named(_until(form.read(files), broken), form.name)
    for done in spread(
        partial(made, known), drafts, weigh=weight, workers=wanted.workers, ray=wanted.ray
    ):
        if isinstance(done, Reject):
            run.reject(done)
        else:
            run.take(done)
    if broken:
        raise broken[0]


def _until(found: Iterator[Found], broken: list[ContentError]) -> Iterator[Found]:
    """What a reader gives until its file breaks off, so that all before it is still made."""
    try:
        yield from found
    except ContentError as err:
        broken.append(err)


def _write(file: TextIO, place: Place, reason: str, *, by_rule: bool = False) -> None:
    data: dict[str, Any] = {"file": place.file, "line": place.line, "reason": reason}
    if by_rule:
        data["by_rule"] = True
    file.write(json.dumps(data, ensure_ascii=False) + "\n")
