"""Runs a detector, or a whole policy's detectors, over labelled messages."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sanad_core.assess import DetectorStep, assess
from sanad_core.components import make
from sanad_core.errors import PluginError, PolicyError, SanadError
from sanad_core.plan import resolve
from sanad_core.plugins import Catalog
from sanad_core.policy import read_policy
from sanad_core.specs import Context
from sanad_core.testing import NOW
from sanad_core.types import Conversation, Speaker, Turn
from sanad_core.workers import Workers
from sanad_screen.evaluation.measure import Finding
from sanad_screen.mutate import MUTATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sanad_core.deployment import Deployment
    from sanad_core.types import Assessment
    from sanad_screen.evaluation.labelled import Labelled

__all__ = ["Detection", "findings", "mutated", "open_detection"]

TIMEOUT = 30.0  # seconds; an evaluation waits longer than a person would


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """Detectors that are ready to be asked.

    Args:
        name: for the report.
        steps: the detectors, in order.
        versions: of each, for the report.
    """

    name: str
    steps: tuple[DetectorStep, ...]
    versions: tuple[str, ...]


async def open_detection(
    name: str, policy: Path, deployment: Deployment, only: str | None = None
) -> Detection:
    """The detectors of a policy, or one of them.

    Args:
        name: for the report.
        policy: the policy file.
        deployment: what it is deployed with.
        only: the name of the one step to run; one that the policy lacks is made without options.

    Raises:
        PolicyError: the policy is wrong.
        PluginError: there is no such detector, or it cannot be used.
    """
    read, problems = read_policy(policy)
    plan = None
    if read is not None:
        if only is not None and all(step.name != only for step in read.detect):
            Catalog().spec("detector", only)
            extra = replace(read.detect[0], name=only, use=only, options={}, required=False)
            read = replace(read, detect=(*read.detect, extra))
        plan, more = resolve(read, deployment, Catalog())
        problems = [*problems, *more]
    errors = [problem for problem in problems if not problem.warning]
    if plan is None or errors:
        raise PolicyError(errors or problems)
    workers = Workers()
    steps = []
    for part in plan.detectors:
        if only is not None and part.name != only:
            continue
        runner, error = await make(part, workers, plan.setting())
        if not runner.methods:
            raise (
                error
                if isinstance(error, SanadError)
                else PluginError(f"'{part.name}' cannot be used: {runner.missing}")
            )
        assert part.step is not None
        step = replace(part.step, timeout=TIMEOUT)
        steps.append(DetectorStep(plan=step, spec=part.spec, runner=runner))  # type: ignore[arg-type]
    used = [part for part in plan.detectors if only is None or part.name == only]
    return Detection(
        name=name, steps=tuple(steps), versions=tuple(f"{p.name} {p.version}" for p in used)
    )


async def findings(
    detection: Detection, rows: Sequence[Labelled], told: Callable[[int], Any]
) -> list[Finding]:
    """What the detectors find in each row, one row at a time, so that latency means something."""
    found = []
    for row in rows:
        context = _context(row)
        began = time.perf_counter()
        assessment, _ = await assess(detection.steps, context)
        took = (time.perf_counter() - began) * 1000
        found.append(_finding(assessment, took))
        told(1)
    return found


def _context(row: Labelled) -> Context:
    turns = tuple(
        Turn(
            speaker=Speaker.BOT if role == "bot" else Speaker.PERSON,
            text=text,
            locale="en",
            at=NOW,
            message_id=str(number),
        )
        for number, (role, text) in enumerate(row.before)
    )
    turn = Turn(
        speaker=Speaker.PERSON, text=row.text, locale="en", at=NOW, message_id=str(len(turns))
    )
    return Context(turn=turn, conversation=Conversation(id=row.id, turns=turns))


def _finding(assessment: Assessment, took: float) -> Finding:
    risk = assessment.risk
    sounds = [s for s in assessment.signals if s.kind == "sentiment"]
    return Finding(
        level=risk.level,
        score=risk.level.rank + risk.score,
        kind=None if risk.kind is None else risk.kind.value,
        subject=None if risk.subject is None else risk.subject.value,
        conditions=frozenset(s.label for s in assessment.signals if s.kind == "condition"),
        sentiment=sounds[-1].label if sounds else None,
        milliseconds=took,
        failed=bool(assessment.failures),
    )


def mutated(rows: Sequence[Labelled], name: str, seed: int = 0) -> list[Labelled]:
    """The rows with one mutation made in each; labels stay as they are."""
    chance = Random(seed)
    change = MUTATIONS[name]
    return [replace(row, text=change(row.text, chance)) for row in rows]
