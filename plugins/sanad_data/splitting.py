"""Splits: what belongs to one person or thread stays together, and conditions are spread evenly."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError, UsageError
from sanad_data.facts import file_lines
from sanad_data.figures import gather
from sanad_data.talks import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sanad_data.facts import Rows

__all__ = ["Split", "Unit", "assign", "named_shares", "split"]

NOTE = "split.json"  # is written last: where it stands, the splits are whole and of one run
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,40}")
ALL = ""  # stands for all rows where the name of a condition may stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Rows that stay together.

    Args:
        rows: how many.
        conditions: how many of them name each condition.
    """

    rows: int
    conditions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """What one split got.

    Args:
        name: of the split.
        share: of the conversations that it was to get.
        conversations: that it got.
        units: persons, threads, and single conversations.
        conditions: how many of the conversations name each condition.
    """

    name: str
    share: float
    conversations: int
    units: int
    conditions: dict[str, int]


def named_shares(pairs: Iterable[str]) -> dict[str, float]:
    """`NAME=SHARE` options as a mapping.

    Args:
        pairs: each a name for a file, and a share; together they are 1.

    Raises:
        UsageError: one is not of this form, or they are more or less than 1.
    """
    found: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.rpartition("=")
        try:
            share = float(text)
        except ValueError:
            share = 0.0
        if not _NAME.fullmatch(name) or not 0 < share <= 1 or name in found:
            raise UsageError(
                f"--share takes NAME=SHARE, not '{pair}'; each name once, of letters, digits, _ "
                "and -, and a share above 0, such as train=0.8"
            )
        found[name] = share
    if not math.isclose(sum(found.values()), 1, abs_tol=1e-6):
        raise UsageError(f"the --share options make {sum(found.values()):g}; together they make 1")
    return found


def assign(units: Sequence[Unit], shares: Mapping[str, float], seed: int) -> list[str]:
    """The split of each unit.

    Rare conditions are given out first, and large units before small ones; a unit goes where its
    rarest condition is wanted most (iterative stratification, Sechidis et al. 2011).

    Args:
        units: in the order of their first rows.
        shares: of the rows, by name.
        seed: the same seed and units give the same splits.
    """
    total: Counter[str] = Counter()
    for unit in units:
        total.update(_counts(unit))
    strata: dict[str, list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        rarest = min(_counts(unit), key=lambda name: (total[name], name))
        strata[rarest].append(number)
    chance = Random(seed)
    left = {name: {what: share * total[what] for what in total} for name, share in shares.items()}
    given = [""] * len(units)
    for what in sorted(strata, key=lambda name: (name == ALL, total[name], name)):
        numbers = chance.sample(strata[what], len(strata[what]))
        for number in sorted(numbers, key=lambda number: -_counts(units[number])[what]):
            name = max(shares, key=lambda name: (left[name][what], left[name][ALL]))
            given[number] = name
            for counted, count in _counts(units[number]).items():
                left[name][counted] -= count
    return given


def _counts(unit: Unit) -> dict[str, int]:
    """What is to be shared out of a unit: its rows, and those of each condition."""
    return {**unit.conditions, ALL: unit.rows}


def split(
    files: Sequence[Path],
    out: Path,
    shares: Mapping[str, float],
    seed: int,
    *,
    workers: int | None = None,
    ray: str | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> list[Split]:
    """Write each conversation to one of several files.

    Together stay the rows of a group, and those whose text or whose long opening message is the
    same or nearly so, which is one person twice.

    Args:
        files: of conversations.
        out: the folder of the splits, `NAME.jsonl`, and of `split.json`, which is written last;
            splits that an earlier `split.json` there names are removed.
        shares: of the conversations, by name.
        seed: the same seed and files give the same splits.
        workers: processes; None: one for each core.
        ray: the address of a cluster that works instead.
        tell: is told of each line that is read.

    Raises:
        UsageError: a split would overwrite what it is made of.
        ContentError: lines are wrong, or there are fewer units than splits; nothing is written.
    """
    targets = {name: out / f"{name}.jsonl" for name in shares}
    for path in targets.values():
        if path.resolve() in {file.resolve() for file in files}:
            raise UsageError(f"'{path}' is to be split and would be overwritten; change --out")
    found = gather(files, workers=workers, ray=ray, tell=tell)
    if found.problems:
        raise ContentError(found.problems)
    of_rows, units = _units(found.rows)
    given = assign(units, shares, seed)
    missing = sorted(set(shares) - set(given))
    if missing:
        message = (
            f"holds {len(units)} persons, threads and single conversations, too few for a split "
            f"'{missing[0]}' of {shares[missing[0]]:g}; add conversations or leave the split out"
        )
        raise ContentError.about(files[0], message)
    _write(files, targets, [given[unit] for unit in of_rows], out / NOTE)
    splits = [_told(name, share, units, given) for name, share in shares.items()]
    _note(out / NOTE, files, seed, splits)
    return splits


def _units(rows: Rows) -> tuple[list[int], list[Unit]]:
    """The number of each row's unit, and the units."""
    from sanad_data.alike import units

    of_rows = units(len(rows), list(rows.alike().values()))
    sizes = Counter(of_rows)
    named: dict[int, Counter[str]] = defaultdict(Counter)
    for row, unit in enumerate(of_rows):
        named[unit].update(rows.conditions_of(row))
    return of_rows, [Unit(rows=sizes[n], conditions=named[n]) for n in range(len(sizes))]


def _write(
    files: Sequence[Path], targets: Mapping[str, Path], given: Sequence[str], note: Path
) -> None:
    rows = (raw for _, _, raw in file_lines(files) if raw is not None and raw.strip())
    with ExitStack() as stack:
        opened = {name: stack.enter_context(written(path)) for name, path in targets.items()}
        try:
            for name, raw in zip(given, rows, strict=True):
                opened[name].write(raw.decode().strip() + "\n")
        except ValueError:
            raise ContentError.about(files[0], "was changed while it was read; run again") from None
        # No split of this run may stand beside one of an earlier run, even if this is killed here.
        earlier = _earlier(note) - {path.resolve() for path in files}
        note.unlink(missing_ok=True)
        for path in {*targets.values(), *earlier}:
            path.unlink(missing_ok=True)


def _earlier(note: Path) -> set[Path]:
    """The splits that a note of an earlier run names; none where there is no such note."""
    import json

    try:
        names = [part["name"] for part in json.loads(note.read_text("utf-8"))["splits"]]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    named = (name for name in names if isinstance(name, str) and _NAME.fullmatch(name))
    return {note.with_name(f"{name}.jsonl").resolve() for name in named}


def _told(name: str, share: float, units: Sequence[Unit], given: Sequence[str]) -> Split:
    mine = [unit for unit, where in zip(units, given, strict=True) if where == name]
    conditions: Counter[str] = Counter()
    for unit in mine:
        conditions.update(unit.conditions)
    return Split(
        name=name,
        share=share,
        conversations=sum(unit.rows for unit in mine),
        units=len(mine),
        conditions=dict(conditions.most_common()),
    )


def _note(path: Path, files: Sequence[Path], seed: int, splits: Sequence[Split]) -> None:
    import dataclasses
    import json

    data: dict[str, Any] = {
        "of": [file.name for file in files],
        "seed": seed,
        "splits": [dataclasses.asdict(found) for found in splits],
    }
    with written(path) as file:
        file.write(json.dumps(data, indent=1) + "\n")
