"""Cleaning: what a conversation must be, what is taken out of it, and what was removed and why."""

from __future__ import annotations

import json
import re
import secrets
from array import array
from collections import Counter
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING

from sanad_core.problems import Problem
from sanad_data import cleaning_report
from sanad_data.facts import Numbered, file_lines, parsed_lines
from sanad_data.language import UNKNOWN, language
from sanad_data.mending import mended, rules
from sanad_data.reading.spool import scratch
from sanad_data.review import Judged, Judging, judged, ready, scrubber
from sanad_data.spread import spread
from sanad_data.talks import Said, Talk, check_out, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from sqlite3 import Connection
    from typing import TextIO

    from sanad_data.talks import Line

__all__ = ["Cleaned", "Rules", "removed_of", "run"]

_SCHEMA = "CREATE TABLE lines (line TEXT);"
MOST_SAMPLES = 3  # of each reason, in the report
MOST_PROBLEMS = 50  # wrong lines that are named before the rest are only counted
SAMPLE = 140  # characters of a sample
LETTERS = 0.5  # the least share of letters among what is no space
ALIKE = 0.4  # the largest share of one word in a text of at least …
WORDS = 12  # … so many words


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a conversation must be.

    Args:
        languages: ISO 639 codes; empty: any. A text that is too short to tell passes.
        shortest: words that the person says, at least; and the supporter, where there is one.
        longest: characters of a turn, at most.
        turns: at most.
        judging: what is looked at with the guard, the detectors and the recognisers.
    """

    languages: frozenset[str] = frozenset({"en"})
    shortest: int = 3
    longest: int = 20_000
    turns: int = 200
    judging: Judging = field(default_factory=Judging)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tidy:
    """A line, mended, and why it is not kept; sketches of both sides, for comparing."""

    file: int
    number: int
    id: str = ""
    problem: str = ""
    reason: str = ""
    text: str = ""
    line: str = ""
    mended: int = 0
    digest: int = 0
    sketches: tuple[bytes, bytes] = (b"", b"")


@dataclass(slots=True)
class Cleaned:
    """What became of conversations.

    Args:
        talks: that were read.
        kept: that were written.
        removed: that were not, by reason.
        turns: of the supporter's that were taken out, by the guard's rule.
        mended: turns whose text was mended.
        crisis: conversations that were marked.
        unread: conversations that a detector could not look at.
        scrubbed: personal data that was put under a pseudonym, by type.
        samples: of what was removed, by reason; personal data is put under pseudonyms.
        problems: lines that are no conversation.
    """

    talks: int = 0
    kept: int = 0
    removed: Counter[str] = field(default_factory=Counter)
    turns: Counter[str] = field(default_factory=Counter)
    mended: int = 0
    crisis: int = 0
    unread: int = 0
    scrubbed: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    wrong: int = 0


def removed_of(out: Path) -> Path:
    """The file that names what was removed, beside an output."""
    return out.with_name(f"{out.name}.removed.jsonl")


def run(
    files: Sequence[Path],
    out: Path,
    wanted: Rules,
    *,
    workers: int | None = None,
    ray: str | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Cleaned:
    """Clean conversations.

    They are read once, compared, and those that are kept are read again from a file of the run's
    own, which has no name, so that none of it stays behind. The output gets its name when it is
    whole, after the reports and the list of what was removed.

    Where personal data is hidden, groups get names that are made with a key of the run: what was
    in one group is in one group in the output, but another run, or whoever knows the name of a
    group, cannot find it there.

    Args:
        files: of conversations, as `sanad data import` writes them.
        out: where those that are kept are written.
        wanted: what they must be.
        workers: processes; None: one for each core.
        ray: the address of a cluster that works instead.
        tell: is told of each conversation that is done.

    Raises:
        UsageError: the output is a folder, or would be written over what is read.
        PolicyError: there is no such policy, or it is wrong.
        ContentError: a file cannot be read.
        MissingExtra: a library is not installed.
        StoreError: the folder for temporary files has no room.
    """
    check_out(out, files, removed_of(out), *cleaning_report.reports_of(out))
    ready(wanted.judging)
    cleaned = Cleaned()
    key = secrets.token_bytes(32)
    with scratch(_SCHEMA) as aside, written(out) as kept:
        with written(removed_of(out)) as removed:
            log = _Log(cleaned, removed)
            rows = _tidied(files, wanted, aside, log, workers, ray)
            work = partial(judged, wanted.judging, key)
            for result in spread(work, _unlike(aside, rows, log), workers=workers, ray=ray):
                _write(result, kept, log)
                tell(1)
            # None of an earlier run may stand beside one of this, even if this is killed here.
            for path in (out, *cleaning_report.reports_of(out)):
                path.unlink(missing_ok=True)
        cleaning_report.write(cleaned, out)
    return cleaned


class _Log:
    """Counts what is removed, and writes it down."""

    def __init__(self, cleaned: Cleaned, file: TextIO) -> None:
        self.cleaned = cleaned
        self._file = file

    def remove(self, talk: str, reason: str, text: str) -> None:
        """Note that a conversation is not kept; its text only as a sample, scrubbed."""
        self.cleaned.removed[reason] += 1
        self._file.write(json.dumps({"id": talk, "reason": reason}, ensure_ascii=False) + "\n")
        self.sample(reason, text)

    def sample(self, reason: str, text: str) -> None:
        """Keep a text as a sample, if there are not enough."""
        kept = self.cleaned.samples.setdefault(reason, [])
        if len(kept) < MOST_SAMPLES and text.strip():
            whole = scrubber().scrubbed(text[: 4 * SAMPLE])
            kept.append(" ".join(whole.split())[:SAMPLE])


def _tidied(
    files: Sequence[Path],
    wanted: Rules,
    aside: Connection,
    log: _Log,
    workers: int | None,
    ray: str | None,
) -> list[str]:
    """Put aside what passes the rules of one conversation.

    Returns:
        For each that was put aside, how it is like an earlier one; empty: it is not.
    """
    compared = _Compared()
    work = partial(_tidy, wanted)
    cleaned = log.cleaned
    for row in spread(work, file_lines(files), workers=workers, ray=ray):
        if row.problem:
            cleaned.wrong += 1
            if len(cleaned.problems) < MOST_PROBLEMS:
                path, where = str(files[row.file]), row.number
                problem = Problem(file=path, line=where, column=1, message=row.problem)
                cleaned.problems.append(problem)
            continue
        cleaned.talks += 1
        cleaned.mended += row.mended
        if row.reason:
            log.remove(row.id, row.reason, row.text)
        else:
            aside.execute("INSERT INTO lines VALUES (?)", (row.line,))
            compared.add(row)
    gone = compared.gone()
    return [gone.get(place, "") for place in range(compared.count)]


def _unlike(aside: Connection, reasons: Sequence[str], log: _Log) -> Iterator[str]:
    """The lines that are like no earlier one."""
    found = aside.execute("SELECT line FROM lines ORDER BY rowid")
    for (line,), reason in zip(found, reasons, strict=True):
        if reason:
            talk = Talk.model_validate_json(line)
            log.remove(talk.id, reason, _side(talk, "person"))
        else:
            yield line


class _Compared:
    """Conversations by what they say: digests, and a sketch of each side."""

    def __init__(self) -> None:
        self.count = 0
        self._digests = array("Q")
        self._sketches = (bytearray(), bytearray())

    def add(self, row: _Tidy) -> None:
        """Take a conversation in."""
        self.count += 1
        self._digests.append(row.digest)
        for all_of, one in zip(self._sketches, row.sketches, strict=True):
            all_of.extend(one)

    def gone(self) -> dict[int, str]:
        """Those that are like an earlier one, and how; both sides must be alike to be near."""
        from sanad_data.alike import near, same

        pairs = near(self._digests, *self._sketches)
        found = dict.fromkeys(pairs[:, 1].tolist(), "near duplicate")
        return found | dict.fromkeys(same(self._digests)[:, 1].tolist(), "duplicate")


def _tidy(wanted: Rules, batch: list[Numbered]) -> list[_Tidy]:
    return [_line(wanted, file, line) for file, line in parsed_lines(batch)]


def _line(wanted: Rules, file: int, line: Line) -> _Tidy:
    from sanad_data.alike import digest, plain, sketch

    number = line.number
    if line.talk is None:
        return _Tidy(file=file, number=number, problem=line.problem)
    talk, changed = _mended(line.talk)
    said = "\n".join(turn.text for turn in talk.turns)
    reason = _reason(wanted, talk)
    if reason:
        return _Tidy(file=file, number=number, id=talk.id, reason=reason, text=said, mended=changed)
    sides = [_side(talk, role) for role in ("supporter", "person")]
    return _Tidy(
        file=file,
        number=number,
        id=talk.id,
        line=talk.line(),
        mended=changed,
        digest=digest(plain(said)),
        # Of a conversation without a supporter, the person's side is all that there is.
        sketches=(sketch(sides[0] or sides[1]), sketch(sides[1])),
    )


def _mended(talk: Talk) -> tuple[Talk, int]:
    turns = [(turn, mended(turn.text)) for turn in talk.turns]
    kept = [turn.model_copy(update={"text": text}) for turn, text in turns if text]
    changed = sum(turn.text != text for turn, text in turns)
    return talk.model_copy(update={"turns": kept}), changed


def _side(talk: Talk, role: str) -> str:
    return "\n".join(turn.text for turn in talk.turns if turn.role == role)


def _reason(wanted: Rules, talk: Talk) -> str:
    """Why a conversation is not kept; empty: it is."""
    person, supporter = _side(talk, "person"), _side(talk, "supporter")
    if not person:
        return "no person speaks"
    if _is_placeholder(talk):
        return "placeholder"
    if min(len(side.split()) for side in (person, supporter) if side) < wanted.shortest:
        return "too short"
    if len(talk.turns) > wanted.turns or any(len(t.text) > wanted.longest for t in talk.turns):
        return "too long"
    if any(_is_noise(turn) for turn in talk.turns):
        return "noise"
    return _foreign(wanted, person, supporter)


def _foreign(wanted: Rules, person: str, supporter: str) -> str:
    spoken = {language(side) for side in (person, supporter) if side} - {UNKNOWN}
    return "language" if wanted.languages and spoken - wanted.languages else ""


def _is_noise(turn: Said) -> bool:
    """Whether a turn is of signs rather than letters, or one word over and over."""
    signs = [c for c in turn.text if not c.isspace()]
    letters = sum(map(str.isalpha, signs))
    if len(signs) > 40 and letters < LETTERS * len(signs):
        return True
    words = turn.text.casefold().split()
    return len(words) >= WORDS and Counter(words).most_common(1)[0][1] > ALIKE * len(words)


def _is_placeholder(talk: Talk) -> bool:
    """Whether a turn was taken out, or a side says nothing else than what stands for nothing."""
    marker, word = _placeholders()
    if any(marker.fullmatch(turn.text) for turn in talk.turns):
        return True
    saying = {turn.role for turn in talk.turns if not word.fullmatch(turn.text)}
    return bool({turn.role for turn in talk.turns} - saying)


@cache
def _placeholders() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What marks a turn that was taken out, and what somebody may have said."""
    lists = (rules().markers, rules().words)
    marker, word = (re.compile(rf"\s*(?:{'|'.join(texts)})\s*", re.IGNORECASE) for texts in lists)
    return marker, word


def _write(result: Judged, kept: TextIO, log: _Log) -> None:
    cleaned = log.cleaned
    for rule, text in result.unsafe:
        cleaned.turns[rule] += 1
        log.sample(f"unsafe: {rule}", text)
    cleaned.unread += result.unread
    if not result.line:
        log.remove(result.id, "no safe answer", "")
        return
    cleaned.kept += 1
    cleaned.crisis += result.crisis
    cleaned.scrubbed.update(result.scrubbed)
    kept.write(result.line + "\n")
