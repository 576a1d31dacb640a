"""Checks a policy: its form, what it names, and what it decides in every single case."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sanad_core import conditions
from sanad_core.assess import assessment_of
from sanad_core.components import make
from sanad_core.decide import decide
from sanad_core.errors import ConfigError, MissingExtra
from sanad_core.plan import resolve
from sanad_core.policy import read_policy
from sanad_core.risk import Level, RiskKind, Subject
from sanad_core.types import (
    Assessment,
    Cause,
    Conversation,
    Failure,
    FailureCause,
    Hold,
    Signal,
)
from sanad_core.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sanad_core.deployment import Deployment
    from sanad_core.plan import Plan
    from sanad_core.plugins import Catalog
    from sanad_core.policy import Policy
    from sanad_core.problems import Problem
    from sanad_core.types import Decision

__all__ = ["Case", "Checked", "cases", "check_policy"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
# C-SSRS 1-2: a wish to be dead must be asked about; of other kinds, `low` may be listened to.
ASKED_AT_LOW = (RiskKind.SUICIDE, RiskKind.SELF_INJURY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input of `decide`, and what it decides.

    Args:
        level: the level of the one risk found; none: nothing found.
        kind: its kind.
        subject: whom it is about.
        held: whether the conversation is in crisis mode.
        failed: the step that failed; None: none did.
        decision: the outcome.
    """

    level: Level
    kind: RiskKind | None
    subject: Subject | None
    held: bool
    failed: str | None
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The outcome of a check.

    Args:
        policy: None where it cannot be used.
        problems: errors and warnings, in the order of the file.
        table: every case and its decision; empty where the policy cannot be used.
    """

    policy: Policy | None
    problems: tuple[Problem, ...]
    table: tuple[Case, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether there is no error; warnings do not count."""
        return all(problem.warning for problem in self.problems)


def check_policy(path: str | Path, deployment: Deployment, catalog: Catalog) -> Checked:
    """Check a policy file.

    Args:
        path: the file.
        deployment: what it is deployed with.
        catalog: what is installed.
    """
    policy, problems = read_policy(path)
    if policy is None:
        return Checked(policy=None, problems=tuple(problems))
    plan, more = resolve(policy, deployment, catalog)
    problems += more
    if plan is None:
        return Checked(policy=None, problems=tuple(problems))
    table = tuple(cases(plan.policy))
    problems += [*_coverage(plan.policy, table), *_unreachable(plan.policy, table)]
    problems += asyncio.run(_components(plan))
    ordered = sorted(set(problems), key=lambda p: (p.warning, p.file, p.line, p.column))
    return Checked(policy=plan.policy, problems=tuple(ordered), table=table)


async def _components(plan: Plan) -> list[Problem]:
    """Make and warm every component, so that a data file that cannot be read is found here."""
    problems: list[Problem] = []
    workers = Workers()
    for part in plan.parts():
        runner, error = await make(part, workers, plan.setting())
        await runner.close()
        file = plan.policy.file if part.step is not None else plan.deployment.file
        if isinstance(error, ConfigError):
            problems += error.problems
        elif error is not None and file is not None:
            location = (*part.step.location, "use") if part.step is not None else ("notifiers",)
            missing = isinstance(error, MissingExtra)
            problems.append(
                file.problem(location, f"'{part.name}': {runner.missing}", warning=missing)
            )
    workers.close()
    return problems


def cases(policy: Policy) -> Iterator[Case]:
    """Every risk level × kind × subject × hold × step failure, and what is decided."""
    risks: list[tuple[Level, RiskKind | None, Subject | None]] = [(Level.NONE, None, None)]
    risks += itertools.product(list(Level)[1:], RiskKind, Subject)
    failures = [None, *(step.name for step in policy.detect)]
    for (level, kind, subject), held, failed in itertools.product(risks, (False, True), failures):
        decision = decide(
            policy, _assessment(policy, level, kind, subject, failed), _conversation(held), NOW
        )
        yield Case(
            level=level, kind=kind, subject=subject, held=held, failed=failed, decision=decision
        )


def _assessment(
    policy: Policy,
    level: Level,
    kind: RiskKind | None,
    subject: Subject | None,
    failed: str | None,
) -> Assessment:
    signals = [Signal.no_risk()]
    if kind is not None:
        signals = [Signal(kind="risk", label=kind.value, level=level, subject=subject)]
    failures = [
        Failure(step=step.name, cause=FailureCause.EXCEPTION, required=step.required)
        for step in policy.detect
        if step.name == failed
    ]
    return assessment_of(signals, failures)


def _conversation(held: bool) -> Conversation:
    hold = Hold(
        rule="a rule",
        level=Level.HIGH,
        kind=RiskKind.SUICIDE,
        subject=Subject.SELF,
        since=NOW,
        until=NOW + timedelta(hours=1),
        length=timedelta(hours=1),
    )
    return Conversation(id="case", hold=hold if held else None)


def _coverage(policy: Policy, table: tuple[Case, ...]) -> Iterator[Problem]:
    """Each case of a person at risk ends in a crisis rule or in `on_failure`."""
    missed: dict[tuple[Level, RiskKind], None] = {}
    for case in table:
        if case.subject is not Subject.SELF or case.kind is None or case.held or case.failed:
            continue
        needed = Level.LOW if case.kind in ASKED_AT_LOW else Level.MODERATE
        if case.level >= needed and case.decision.cause is Cause.RESPOND:
            missed[case.level, case.kind] = None
    for level, kind in missed:
        message = f"no rule answers a person at '{level}' of {kind}; add one to 'crisis'"
        yield policy.file.problem(("crisis",), message, key=True)


def _unreachable(policy: Policy, table: tuple[Case, ...]) -> Iterator[Problem]:
    """Each rule is the first to match in some case."""
    reached = {case.decision.rule for case in _probes(policy, table)}
    for index, rule in enumerate(policy.crisis):
        if rule.scripted.name not in reached:
            message = (
                f"the rule '{rule.scripted.name}' can never fire: the rules above it match first"
            )
            yield policy.file.problem(("crisis", index, "rule"), message)


def _probes(policy: Policy, table: tuple[Case, ...]) -> Iterator[Case]:
    """The single cases, each also with every combination of the signals that rules ask for."""
    yield from table
    asked = {
        part
        for rule in policy.crisis
        for part in conditions.walk(rule.when)
        if isinstance(part, conditions.SignalIs)
    }
    asked_for = sorted(asked, key=lambda part: (part.kind, part.label, part.at_least))[:8]
    for size in range(1, len(asked_for) + 1):
        for tests in itertools.combinations(asked_for, size):
            extra = tuple(
                Signal(kind=test.kind, label=test.label, score=test.at_least) for test in tests
            )
            for case in table:
                found = _assessment(policy, case.level, case.kind, case.subject, case.failed)
                found = replace(found, signals=found.signals + extra)
                decision = decide(policy, found, _conversation(case.held), NOW)
                yield replace(case, decision=decision)
