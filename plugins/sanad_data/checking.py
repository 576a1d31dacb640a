"""What the training guide asks of conversations, as findings: pass, warn or fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from sanad_core.risk import CONDITIONS
from sanad_data.language import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.alike import Pairs
    from sanad_data.figures import Figures, Gathered

__all__ = ["Finding", "Requirements", "Status", "check"]

Status: TypeAlias = Literal["pass", "warn", "fail"]

# What is recommended; with less there is a warning.
PAIRS = 10_000  # the guide's own number
REVIEWED = 0.1
MANY_CONDITIONS = 6

MOST = 10  # places that a finding names
FEWEST = 10  # conversations about a condition before it counts as one that is there
SHORT = 3  # words; a shorter turn of a supporter says nothing
LONG = 700  # words of a conversation: about the 1,024 tokens that GPT-2 reads at once
# Such as CC BY-NC, CC BY-ND, "research only", "all rights reserved"; to be read, not refused.
_NARROW = re.compile(r"\b(nc|nd)\b|non.?commercial|research|proprietary|reserved|no.?deriv", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """Below what a requirement fails.

    Args:
        pairs: the fewest that will do; the guide asks for 1,000.
        reviewed: the least share of conversations that a professional read, 0 to 1.
        conditions: how many conditions there are at least.
        languages: those that are wanted; empty: the most frequent one.
    """

    pairs: int = 1_000
    reviewed: float = 0.0
    conditions: int = 2
    languages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One requirement, and how the conversations meet it.

    Args:
        name: of the requirement.
        status: whether it is met.
        found: what there is.
        wanted: what there is to be.
        fix: what to do where it is not met.
        places: examples, as file and line.
    """

    name: str
    status: Status
    found: str
    wanted: str
    fix: str = ""
    places: tuple[str, ...] = ()


def check(gathered: Gathered, wanted: Requirements) -> list[Finding]:
    """Every requirement.

    Args:
        gathered: the files as they were read; several of them are taken for splits of one whole.
        wanted: what is required.
    """
    alike = gathered.rows.alike()
    findings = [
        _lines(gathered),
        _ids(gathered),
        _pairs(gathered.whole, wanted),
        _reviewed(gathered.whole, wanted),
        _diversity(gathered.whole, wanted),
        _balance(gathered.whole),
        _length(gathered.whole),
        _language(gathered.whole, wanted),
        _same(gathered, alike["the whole text"]),
        _near(gathered, alike["nearly all of the text"]),
        _licences(gathered.whole),
        _crisis(gathered.whole),
    ]
    return findings + ([_leakage(gathered, alike)] if len(gathered.files) > 1 else [])


def _least(value: float, least: float, better: float) -> Status:
    return "fail" if value < least else "warn" if value < better else "pass"


def _most(value: float, better: float, most: float) -> Status:
    return "fail" if value > most else "warn" if value > better else "pass"


def _share(count: int, total: int) -> float:
    return count / total if total else 0.0


def _of(count: int, total: int) -> str:
    return f"{count:,} of {total:,} ({_share(count, total):.1%})"


def _lines(gathered: Gathered) -> Finding:
    return Finding(
        name="lines",
        status="fail" if gathered.wrong else "pass",
        found=f"{gathered.wrong:,} lines are no conversation",
        wanted="none",
        fix="mend or remove them; what 'sanad data import' writes has none",
        places=tuple(f"{p.file}:{p.line}" for p in gathered.problems[:MOST]),
    )


def _ids(gathered: Gathered) -> Finding:
    from sanad_data.alike import same

    again = same(gathered.rows.ids)
    return Finding(
        name="ids",
        status="fail" if len(again) else "pass",
        found=f"{_later(again):,} conversations have the id of an earlier one",
        wanted="none",
        fix="import all sources in one run, or give each file ids of its own",
        places=_places(gathered, again),
    )


def _pairs(figures: Figures, wanted: Requirements) -> Finding:
    better = max(PAIRS, wanted.pairs)
    return Finding(
        name="pairs",
        status=_least(figures.pairs, wanted.pairs, better),
        found=f"{figures.pairs:,} pairs of a person's turn and its answer",
        wanted=f"at least {wanted.pairs:,}, better {better:,}",
        fix="add conversations; fewer teach a model little but their wording",
    )


def _reviewed(figures: Figures, wanted: Requirements) -> Finding:
    share = _share(figures.reviewed, figures.conversations)
    better = max(REVIEWED, wanted.reviewed)
    return Finding(
        name="reviewed",
        status=_least(share, wanted.reviewed, better),
        found=f"{_of(figures.reviewed, figures.conversations)} read by a professional; "
        f"{len(figures.reviewers)} professionals are named",
        wanted=f"at least {wanted.reviewed:.0%}, better {better:.0%}",
        fix="have professionals read conversations, and name them in 'reviewed_by'",
    )


def _diversity(figures: Figures, wanted: Requirements) -> Finding:
    there = sum(count >= FEWEST for count in figures.conditions.values())
    none = figures.conversations - figures.with_conditions
    better = max(MANY_CONDITIONS, wanted.conditions)
    return Finding(
        name="diversity",
        status=_least(there, wanted.conditions, better),
        found=f"{there} of {len(CONDITIONS)} conditions in {FEWEST} conversations or more; "
        f"{_of(none, figures.conversations)} name none",
        wanted=f"at least {wanted.conditions} conditions, better {better}",
        fix="add conversations about other conditions, or name them in 'conditions'",
    )


def _balance(figures: Figures) -> Finding:
    (name, count), *_ = [*figures.conditions.most_common(1), ("no condition", 0)]
    share = _share(count, figures.with_conditions)
    return Finding(
        name="balance",
        status=_most(share, 0.5, 0.9) if count else "warn",
        found=f"{name} in {_of(count, figures.with_conditions)} of those with a condition",
        wanted="no condition in more than 90%, better 50%",
        fix="add conversations about other conditions than that",
    )


def _length(figures: Figures) -> Finding:
    short = sum(words < SHORT for words in figures.supporter)
    long = sum(words > LONG for words in figures.words)
    shares = (_share(short, len(figures.supporter)), _share(long, figures.conversations))
    return Finding(
        name="length",
        status=_most(max(shares), 0.1, 0.5),
        found=f"{_of(short, len(figures.supporter))} answers of fewer than {SHORT} words; "
        f"{_of(long, figures.conversations)} conversations of more than {LONG}",
        wanted="at most 50% of either, better 10%",
        fix="leave out the shortest with 'sanad data clean'; small models read "
        "no more than the beginning of the longest",
    )


def _language(figures: Figures, wanted: Requirements) -> Finding:
    known = figures.languages.copy()
    del known[UNKNOWN]
    main = {code for name, _ in known.most_common(1) for code in name.split("+")}
    languages = wanted.languages or main
    other = sum(count for name, count in known.items() if not languages.issuperset(name.split("+")))
    names = ", ".join(sorted(languages)) or "none told"
    return Finding(
        name="language",
        status=_most(_share(other, known.total()), 0.02, 0.1),
        found=f"{_of(other, known.total())} in other languages than wanted ({names}); "
        f"{figures.languages[UNKNOWN]:,} too short to tell",
        wanted="at most 10%, better 2%",
        fix="leave others out with 'sanad data clean', or name those that are wanted: --language",
    )


def _same(gathered: Gathered, pairs: Pairs) -> Finding:
    count, total = _later(pairs), gathered.whole.conversations
    return Finding(
        name="duplicates",
        status=_most(_share(count, total), 0.0, 0.01),
        found=f"{_of(count, total)} have the text of an earlier one",
        wanted="at most 1%, better none",
        fix="remove them with 'sanad data clean'",
        places=_places(gathered, pairs),
    )


def _near(gathered: Gathered, pairs: Pairs) -> Finding:
    count, total = _later(pairs), gathered.whole.conversations
    return Finding(
        name="near-duplicates",
        status=_most(_share(count, total), 0.01, 0.1),
        found=f"{_of(count, total)} are nearly the same as an earlier one",
        wanted="at most 10%, better 1%",
        fix="remove them with 'sanad data clean'",
        places=_places(gathered, pairs),
    )


def _licences(figures: Figures) -> Finding:
    unknown = sorted({source for source, licence in figures.sources if not licence})
    narrow = sorted({s for s, licence in figures.sources if _NARROW.search(licence)})
    said = [f"not known of {', '.join(unknown[:MOST])}"] if unknown else []
    said += [f"for narrow use alone of {', '.join(narrow[:MOST])}"] if narrow else []
    return Finding(
        name="licences",
        status="fail" if unknown else "warn" if narrow else "pass",
        found="; ".join(said) or f"known of every source ({len({s for s, _ in figures.sources})})",
        wanted="known of every source, and of none for research or non-commercial use alone",
        fix="import again with --licence; ask before a model of narrow sources goes into service",
    )


def _crisis(figures: Figures) -> Finding:
    unknown = figures.crisis[None]
    return Finding(
        name="crisis",
        status="warn" if unknown else "pass",
        found=f"{_of(unknown, figures.conversations)} that nobody looked at for danger",
        wanted="none",
        fix="mark them with 'sanad data clean'",
    )


def _leakage(gathered: Gathered, alike: dict[str, Pairs]) -> Finding:
    leaks = {what: _between(gathered, pairs) for what, pairs in alike.items()}
    said = [f"{_later(pairs):,} share {what}" for what, pairs in leaks.items() if len(pairs)]
    places = [place for pairs in leaks.values() for place in _places(gathered, pairs)]
    return Finding(
        name="leakage",
        status="fail" if said else "pass",
        found="; ".join(said) or "no conversation shares a person, a thread or a text",
        wanted="nothing in common between the files, since each is to measure the others",
        fix="split again with 'sanad data split'",
        places=tuple(places[:MOST]),
    )


def _between(gathered: Gathered, pairs: Pairs) -> Pairs:
    """The pairs of which one is in one file, and one in another."""
    import numpy as np

    files = np.asarray(gathered.rows.files)
    apart: Pairs = pairs[files[pairs[:, 0]] != files[pairs[:, 1]]]
    return apart


def _later(pairs: Pairs) -> int:
    return len(set(pairs[:, 1].tolist()))


def _places(gathered: Gathered, pairs: Pairs) -> tuple[str, ...]:
    return tuple(_named(gathered, pairs[:MOST]))


def _named(gathered: Gathered, pairs: Pairs) -> Iterator[str]:
    for earlier, later in pairs.tolist():
        yield f"{gathered.place(later)} as {gathered.place(earlier)}"
