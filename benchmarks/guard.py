"""Measures the reply guard on the test part of its corpus, which another hand wrote.

Run `make bench-guard`. The guard runs as a policy runs it; the level of a context is the label's,
then what the detectors find in it. Beside it: the wordings alone, and two baselines that a guard
must beat, a reply's length and a few keywords, each at the same share of good replies blocked.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from sanad_core import Context, Conversation, Engine, Turn
from sanad_core.assess import assessment_of
from sanad_core.deployment import Deployment, NotifierPlan
from sanad_core.risk import Level, RiskKind
from sanad_core.specs import Setting
from sanad_core.text import sentences
from sanad_core.types import Draft, Signal, Speaker
from sanad_guard import GuardOptions
from sanad_guard.drafts import CORPUS, Item, Reply, read_items
from sanad_guard.guard import ReplyGuard
from sanad_screen.evaluation.measure import share

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = re.compile(
    r"\b(kill|die|dead|suicide|pills?|dose|medication|diagnos\w+|disorder|promise|secret|therapist|"
    r"human|love you|never tell|stop taking|you have|your fault|crazy|weight|calories)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A reply in its context, with its label."""

    item: Item
    reply: Reply
    context: Context


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="another model's folder")
    parser.add_argument("--file", type=Path, default=CORPUS / "test.jsonl")
    parser.add_argument("--misses", action="store_true", help="print what is got wrong")
    options = parser.parse_args()
    items = read_items(options.file)
    folder = None if options.model is None else str(options.model.resolve())
    cases = [Case(i, r, labelled(i)) for i in items for r in i.replies]
    guards = {
        "guard": guard(GuardOptions(folder=folder)),
        "wordings alone": guard(GuardOptions(encoder=False)),
    }
    print("| | bad replies blocked | good replies blocked |")
    print("|---|---|---|")
    found = {name: [blocked(used, case) for case in cases] for name, used in guards.items()}
    for name, verdicts in found.items():
        print(f"| {name} | {rates(cases, verdicts)} |")
    screened = asyncio.run(as_screened(cases))
    print(f"| guard, contexts screened | {rates(cases, screened)} |")
    for name, scores in baselines(cases).items():
        print(f"| {name}, at 3% | {rates(cases, at_share(cases, scores, 0.03))} |")
    by_rule(cases, found["guard"])
    latency(guards["guard"], cases)
    if options.misses:
        for case, verdict in zip(cases, found["guard"], strict=True):
            if verdict != bool(case.reply.rules):
                print(case.item.id, case.reply.rules, case.reply.text)


def guard(options: GuardOptions) -> ReplyGuard:
    """A guard, warmed with the shipped registry's numbers."""
    made = ReplyGuard(options)
    plan = Engine.from_policy("minimal").plan
    made.warm(Setting(numbers=plan.registry.numbers))
    return made


def labelled(item: Item) -> Context:
    """The context with the level that its label says."""
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    turns = [
        Turn(
            speaker=Speaker.PERSON if said.role == "person" else Speaker.BOT,
            text=said.text, locale="en", at=now, message_id=str(number),
        )
        for number, said in enumerate(item.context)
    ]  # fmt: skip
    kind = item.kind or RiskKind.SUICIDE
    level = Level(item.level)
    signal = Signal.no_risk()
    if level > Level.NONE:
        from sanad_core.risk import Subject

        signal = Signal(kind="risk", label=kind.value, level=level, subject=Subject.SELF)
    return Context(
        turn=turns[-1],
        conversation=Conversation(id="c", turns=tuple(turns[:-1])),
        assessment=assessment_of([signal]),
    )


def blocked(used: ReplyGuard, case: Case) -> bool:
    """Whether the guard blocks the reply."""
    return bool(used.check(Draft(text=case.reply.text), case.context))


async def as_screened(cases: list[Case]) -> list[bool]:
    """The same through the engine, the context's level found and not told."""
    deployment = Deployment(notifiers=(NotifierPlan(name="on_call", use="log"),))
    async with Engine.from_policy("default", deployment=deployment) as engine:
        return [
            bool(
                await engine.review(
                    case.reply.text,
                    [(said.role == "person", said.text) for said in case.item.context],
                )
            )
            for case in cases
        ]


def rates(cases: list[Case], verdicts: list[bool]) -> str:
    """Shares of bad and of good replies that are blocked, with 95% Wilson intervals."""
    pairs = list(zip(cases, verdicts, strict=True))
    bad = [verdict for case, verdict in pairs if case.reply.rules]
    good = [verdict for case, verdict in pairs if not case.reply.rules]
    return f"{share(bad)} | {share(good)}"


def baselines(cases: list[Case]) -> dict[str, list[float]]:
    """What needs no model: longer, shorter, more alarming words."""
    return {
        "length": [float(len(case.reply.text)) for case in cases],
        "shortness": [-float(len(case.reply.text)) for case in cases],
        "keywords": [float(len(KEYWORDS.findall(case.reply.text))) for case in cases],
    }


def at_share(cases: list[Case], scores: list[float], allowed: float) -> list[bool]:
    """Blocked where the score is above what all but this share of good replies have."""
    good = sorted(s for case, s in zip(cases, scores, strict=True) if not case.reply.rules)
    bar = good[min(len(good) - 1, int((1 - allowed) * len(good)))]
    return [score > bar for score in scores]


def by_rule(cases: list[Case], verdicts: list[bool]) -> None:
    """Recall by rule; a reply that breaks two counts under both."""
    found: defaultdict[str, list[bool]] = defaultdict(list)
    for case, verdict in zip(cases, verdicts, strict=True):
        for rule in case.reply.rules:
            found[rule].append(verdict)
    print("\n| rule | blocked |\n|---|---|")
    for rule, verdicts_of_rule in sorted(found.items()):
        print(f"| {rule} | {share(verdicts_of_rule)} |")


def latency(used: ReplyGuard, cases: list[Case]) -> None:
    """Milliseconds of a whole reply, and of each sentence as a stream releases it."""
    whole, parts = [], []
    for case in cases:
        text = case.reply.text
        began = time.perf_counter()
        used.check(Draft(text=text), case.context)
        whole.append((time.perf_counter() - began) * 1000)
        sent = 0
        for _, end in sentences(text):
            began = time.perf_counter()
            draft = Draft(text=text[:end], sent=sent, whole=end == len(text))
            used.check(draft, case.context)
            parts.append((time.perf_counter() - began) * 1000)
            sent = end
    print("\n| | p50 ms | p99 ms |\n|---|---|---|")
    for name, times in (("a whole reply", whole), ("a released sentence", parts)):
        cuts = statistics.quantiles(times, n=100)
        print(f"| {name} | {cuts[49]:.1f} | {cuts[98]:.1f} |")


if __name__ == "__main__":
    main()
