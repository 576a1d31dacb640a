"""A policy as the engine uses it: frozen, every name resolved to a place in the file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core import conditions
from sanad_core.errors import PolicyError
from sanad_core.policyfile import UNTIL_ACKNOWLEDGED, PolicyFile
from sanad_core.problems import did_you_mean
from sanad_core.risk import Level
from sanad_core.schema import validate
from sanad_core.text import duration
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.policyfile import CrisisRule, Notify
    from sanad_core.problems import Problem
    from sanad_core.yamlfile import Location, YamlFile

__all__ = ["Policy", "Rule", "Scripted", "StepPlan", "load_policy", "read_policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """One step: which component, how it is run, and where the file says so.

    Args:
        use: the component's name.
        name: the step's name, unique within the policy.
        location: its place in the file's data.
        timeout: its deadline, in seconds.
        options: as they stand in the file, variables not yet filled in.
        required: whether `on_failure` answers when it fails.
        when: for a responder, the condition under which it is asked.
    """

    use: str
    name: str
    location: Location
    timeout: float
    options: dict[str, Any]
    required: bool = False
    when: conditions.Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """A scripted answer: the text's key, what is attached and who is told.

    Args:
        name: the rule's name, or `held`, or `on_failure`.
        at: `file:line`.
        reply: key of the text.
        helplines: which lines are attached.
        notify: notifiers, each with whether it gets the message's text.
    """

    name: str
    at: str
    reply: str
    helplines: tuple[str, ...]
    notify: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A crisis rule.

    Args:
        scripted: what it answers.
        when: when it fires.
        holds: whether it puts the conversation into crisis mode.
        hold: for how long; None: until acknowledged.
    """

    scripted: Scripted
    when: conditions.Condition
    holds: bool = False
    hold: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A whole policy; see docs/policy.md for what each part means."""

    file: YamlFile
    name: str
    locales: tuple[str, ...]
    region: str | None
    allow_no_floor: bool
    detect: tuple[StepPlan, ...]
    crisis: tuple[Rule, ...]
    held: Scripted
    on_failure: Scripted
    deadline: float
    chain: tuple[StepPlan, ...]
    fallback: str
    guards: tuple[StepPlan, ...]
    block_ends_chain: bool
    disclose_at_start: bool
    disclose_every: timedelta | None

    @property
    def path(self) -> str:
        """The file's path, as it was given."""
        return self.file.path

    @property
    def digest(self) -> str:
        """The first 12 hex digits of the file's SHA-256."""
        return self.file.digest[:12]

    def steps(self) -> Iterator[StepPlan]:
        """Every step: detectors, responders, guards."""
        yield from self.detect
        yield from self.chain
        yield from self.guards

    def scripts(self) -> Iterator[Scripted]:
        """Every scripted answer that the policy can give."""
        for rule in self.crisis:
            yield rule.scripted
        yield self.held
        yield self.on_failure


def load_policy(path: str | Path) -> Policy:
    """Read a policy; see `read_policy`.

    Raises:
        PolicyError: with every problem found.
    """
    policy, problems = read_policy(path)
    errors = [problem for problem in problems if not problem.warning]
    if errors or policy is None:
        raise PolicyError(errors)
    return policy


def read_policy(path: str | Path) -> tuple[Policy | None, list[Problem]]:
    """Read a policy and list what is wrong with its form.

    Whether the plugins, texts and helplines that it names exist is checked by `sanad_core.check`.

    Args:
        path: the policy file.

    Returns:
        The policy (None if it cannot be used) and the problems found.
    """
    try:
        file = read_yaml(path, PolicyError)
    except PolicyError as err:
        return None, list(err.problems)
    model, problems = validate(file, PolicyFile)
    if model is None:
        return None, problems
    policy = _compile(file, model)
    problems = [*_duplicates(policy), *_references(policy), *_crisis_problems(policy)]
    return policy, sorted(problems, key=lambda problem: (problem.line, problem.column))


def _compile(file: YamlFile, model: PolicyFile) -> Policy:
    return Policy(
        file=file,
        name=model.name,
        locales=tuple(model.locales),
        region=model.region,
        allow_no_floor=model.allow_no_floor,
        detect=tuple(_steps(("detect",), model.detect)),
        crisis=tuple(
            _rule(file, rule, ("crisis", index)) for index, rule in enumerate(model.crisis)
        ),
        held=Scripted(
            name="held",
            at=file.at(("held",)),
            reply=model.held.reply,
            helplines=tuple(model.held.helplines),
        ),
        on_failure=Scripted(
            name="on_failure",
            at=file.at(("on_failure",)),
            reply=model.on_failure.reply,
            helplines=tuple(model.on_failure.helplines),
            notify=_notify(model.on_failure.notify),
        ),
        deadline=duration(model.respond.deadline).total_seconds(),
        chain=tuple(_steps(("respond", "chain"), model.respond.chain)),
        fallback=model.respond.fallback,
        guards=tuple(_steps(("guard", "checks"), model.guard.checks)),
        block_ends_chain=model.guard.on_block == "scripted",
        disclose_at_start=model.disclosure.at_start,
        disclose_every=duration(model.disclosure.every) if model.disclosure.every else None,
    )


def _steps(location: Location, steps: list[Any]) -> Iterator[StepPlan]:
    for index, step in enumerate(steps):
        when = getattr(step, "when", None)
        yield StepPlan(
            use=step.use,
            name=step.name or step.use,
            location=(*location, index),
            timeout=duration(step.timeout).total_seconds(),
            options=step.options,
            required=getattr(step, "required", False),
            when=conditions.build(when) if when is not None else None,
        )


def _rule(file: YamlFile, rule: CrisisRule, location: Location) -> Rule:
    timed = rule.hold is not None and rule.hold != UNTIL_ACKNOWLEDGED
    return Rule(
        scripted=Scripted(
            name=rule.rule,
            at=file.at(location),
            reply=rule.reply,
            helplines=tuple(rule.helplines),
            notify=_notify(rule.notify),
        ),
        when=conditions.build(rule.when),
        holds=rule.hold is not None,
        hold=duration(rule.hold) if timed and rule.hold is not None else None,
    )


def _notify(targets: list[Notify]) -> tuple[tuple[str, bool], ...]:
    return tuple((target.to, "text" in target.include) for target in targets)


def _duplicates(policy: Policy) -> Iterator[Problem]:
    seen: set[str] = set()
    for step in policy.steps():
        if step.name in seen:
            where = (*step.location, "use")
            message = f"a step '{step.name}' stands above; give this one a 'name' of its own"
            yield policy.file.problem(where, message)
        seen.add(step.name)
    rules: set[str] = {"held", "on_failure"}
    for index, rule in enumerate(policy.crisis):
        if rule.scripted.name in rules:
            message = f"the rule name '{rule.scripted.name}' is taken; use another"
            yield policy.file.problem(("crisis", index, "rule"), message)
        rules.add(rule.scripted.name)
    for index, locale in enumerate(policy.locales):
        if locale in policy.locales[:index]:
            yield policy.file.problem(("locales", index), f"'{locale}' stands twice")


def _references(policy: Policy) -> Iterator[Problem]:
    """`failure: STEP` must name a detector."""
    names = [step.name for step in policy.detect]
    places: list[tuple[Location, conditions.Condition | None]] = [
        *(((*step.location, "when"), step.when) for step in policy.chain),
        *((("crisis", index, "when"), rule.when) for index, rule in enumerate(policy.crisis)),
    ]
    for location, when in places:
        for part in conditions.walk(when) if when is not None else ():
            if isinstance(part, conditions.Failed) and part.step not in names:
                hint = did_you_mean(part.step, names)
                message = f"no step under 'detect' is named '{part.step}'{hint}"
                yield policy.file.problem(_find(policy, location, "failure"), message)


def _crisis_problems(policy: Policy) -> Iterator[Problem]:
    """A crisis rule must not be one that a further finding can switch off."""
    for index, rule in enumerate(policy.crisis):
        location: Location = ("crisis", index, "when")
        if not conditions.monotone(rule.when):
            message = (
                "'not', 'at_most' and 'held: false' are not allowed in a crisis rule: "
                "one more finding could switch it off"
            )
            places = [_find(policy, location, key) for key in ("not", "at_most", "held")]
            found = min((place for place in places if place != location), key=len)
            yield policy.file.problem(found, message, key=True)
        if any(_everything(part) for part in conditions.walk(rule.when)):
            message = "'at_least: none' matches every message; name a level"
            yield policy.file.problem(_find(policy, location, "at_least"), message)
        if rule.holds and rule.hold is None and not _told(policy):
            message = "'until_acknowledged' needs a notifier: name one under 'notify' of a rule"
            yield policy.file.problem(("crisis", index, "hold"), message)


def _everything(part: conditions.Condition) -> bool:
    return isinstance(part, conditions.RiskIs) and part.at_least is Level.NONE


def _told(policy: Policy) -> bool:
    return any(scripted.notify for scripted in policy.scripts())


def _find(policy: Policy, location: Location, key: str) -> Location:
    """The first place under `location` where `key` stands."""
    depth = len(location)
    found = [place for place in policy.file.keys if place[:depth] == location and place[-1] == key]
    return min(found, key=policy.file.keys.__getitem__, default=location)
