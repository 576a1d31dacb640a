"""A policy resolved against what is installed: specs, options, texts, helplines, and problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core import conditions
from sanad_core.conditions import RiskIs
from sanad_core.content import load_content, region_problems, text_problems
from sanad_core.deployment import literal_secret
from sanad_core.errors import PluginError
from sanad_core.problems import did_you_mean
from sanad_core.risk import Level
from sanad_core.schema import fill_environment, is_variable, validate_at
from sanad_core.specs import DetectorSpec, ResponderSpec, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import BaseModel

    from sanad_core.deployment import Deployment
    from sanad_core.helplines import HelplineRegistry
    from sanad_core.plugins import Catalog
    from sanad_core.policy import Policy, StepPlan
    from sanad_core.problems import Problem
    from sanad_core.replies import ReplyBook
    from sanad_core.specs import Spec
    from sanad_core.yamlfile import Location, YamlFile

__all__ = ["Part", "Plan", "resolve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component that the plan uses.

    Args:
        name: the step's name.
        kind: detector, responder, guard or notifier.
        spec: None where its plugin cannot be loaded.
        options: validated; None where it takes none or they cannot be used.
        version: the version of its package.
        missing: why it cannot be made; empty if it can.
        step: for steps of the policy, how it is run.
    """

    name: str
    kind: str
    spec: Spec | None
    options: BaseModel | None = None
    version: str = ""
    missing: str = ""
    step: StepPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything an engine needs, immutable.

    Args:
        policy: with the default condition of generating responders filled in.
        deployment: limits, store, notifiers.
        detectors: in order.
        responders: in order.
        guards: in order.
        notifiers: by their names.
        books: scripted texts per language.
        registry: helplines.
        region: the country whose helplines are given by default.
    """

    policy: Policy
    deployment: Deployment
    detectors: tuple[Part, ...]
    responders: tuple[Part, ...]
    guards: tuple[Part, ...]
    notifiers: tuple[Part, ...]
    books: dict[str, ReplyBook]
    registry: HelplineRegistry
    region: str | None

    def parts(self) -> Iterable[Part]:
        """Every component."""
        yield from self.detectors
        yield from self.responders
        yield from self.guards
        yield from self.notifiers

    def setting(self) -> Setting:
        """What components are told when they are warmed up."""
        return Setting(
            locales=self.policy.locales,
            region=self.region,
            folder=Path(self.policy.path).resolve().parent,
            numbers=self.registry.numbers,
            endpoints=self.deployment.endpoints,
            generates=any(
                isinstance(part.spec, ResponderSpec) and part.spec.generates
                for part in self.responders
            ),
        )


def resolve(
    policy: Policy, deployment: Deployment, catalog: Catalog
) -> tuple[Plan | None, list[Problem]]:
    """Resolve a policy.

    Args:
        policy: as read.
        deployment: as read.
        catalog: what is installed.

    Returns:
        The plan, and every problem found; the plan is None if a data file cannot be read. A plugin
        that is installed but broken is a warning: its step will fail, and the policy says what
        happens then.
    """
    problems = _dropped(policy, deployment)
    if deployment.locales:
        policy = replace(policy, locales=deployment.locales)
    resolving = _Resolving(policy.file, catalog)
    detectors = resolving.steps("detector", policy.detect)
    responders = resolving.steps("responder", policy.chain)
    guards = resolving.steps("guard", policy.guards)
    notifiers = resolving.notifiers(deployment)
    books, registry, content = load_content(policy, deployment)
    problems += [
        *resolving.problems,
        *_observers(catalog, deployment),
        *_floor(policy, detectors),
        *_order(policy, detectors),
        *_last(policy, responders),
        *_targets(policy, deployment),
        *content,
        *text_problems(policy, books),
        *region_problems(policy, deployment, registry),
    ]
    if registry is None or any(locale not in books for locale in policy.locales):
        return None, problems
    plan = Plan(
        policy=replace(policy, chain=tuple(_with_default(part) for part in responders)),
        deployment=deployment,
        detectors=detectors,
        responders=responders,
        guards=guards,
        notifiers=notifiers,
        books=books,
        registry=registry,
        region=deployment.region or policy.region,
    )
    return plan, problems


class _Resolving:
    """One pass over the components that a policy names."""

    def __init__(self, file: YamlFile, catalog: Catalog) -> None:
        self.file = file
        self.catalog = catalog
        self.problems: list[Problem] = []

    def steps(self, kind: str, steps: Sequence[StepPlan]) -> tuple[Part, ...]:
        return tuple(
            replace(
                self.part(kind, step.name, step.use, step.options, self.file, step.location),
                step=step,
            )
            for step in steps
        )

    def notifiers(self, deployment: Deployment) -> tuple[Part, ...]:
        file = deployment.file or self.file
        return tuple(
            self.part("notifier", plan.name, plan.use, plan.options, file, plan.location)
            for plan in deployment.notifiers
        )

    def part(
        self,
        kind: str,
        name: str,
        use: str,
        raw: dict[str, Any],
        file: YamlFile,
        location: Location,
    ) -> Part:
        use_at = (*location, "use")
        try:
            spec = self.catalog.spec(kind, use)
        except PluginError as err:
            # A name that nothing has is a mistake in the file; a plugin that is there but broken
            # is a fault of the machine, and the policy says what happens then.
            broken = self.catalog.knows(use) and "cannot be imported" in str(err)
            self.problems.append(file.problem(use_at, str(err), warning=broken))
            return Part(name=name, kind=kind, spec=None, missing=str(err))
        options, missing = self.options(spec, raw, file, (*location, "options"))
        return Part(
            name=name,
            kind=kind,
            spec=spec,
            options=options,
            version=self.catalog.version(kind, use),
            missing=missing,
        )

    def options(
        self, spec: Spec, raw: dict[str, Any], file: YamlFile, location: Location
    ) -> tuple[BaseModel | None, str]:
        if spec.options is None:
            if raw:
                message = f"'{spec.name}' takes no options"
                self.problems.append(file.problem(location, message, key=True))
            return None, ""
        for key in _secrets(spec.options):
            if isinstance(raw.get(key), str) and not is_variable(raw[key]):
                self.problems.append(literal_secret(file, (*location, key)))
        filled, unset = fill_environment(raw)
        options, problems = validate_at(file, location, filled, spec.options)
        if unset:
            # What stands in the place of a variable that is not set is nobody's mistake.
            still_open = [
                (*location, key) for key, value in raw.items() if fill_environment(value)[1]
            ]
            marks = [file.problem(place, "") for place in still_open]
            known = {(mark.line, mark.column) for mark in marks}
            names = ", ".join(unset)
            message = f"the variable {names} is not set; until it is, '{spec.name}' is left out"
            warning = file.problem(location, message, warning=True)
            problems = [p for p in problems if (p.line, p.column) not in known] + [warning]
        self.problems += problems
        return options, f"variable {', '.join(unset)} is not set" if unset else ""


def _secrets(model: type[BaseModel]) -> list[str]:
    return [
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("secret")
    ]


def _dropped(policy: Policy, deployment: Deployment) -> list[Problem]:
    dropped = [name for name in policy.locales if name not in deployment.locales]
    if not deployment.locales or not dropped:
        return []
    message = f"sanad.yml leaves out the language {', '.join(dropped)} of this policy"
    return [policy.file.problem(("locales",), message, warning=True)]


def _observers(catalog: Catalog, deployment: Deployment) -> Iterator[Problem]:
    for index, name in enumerate(deployment.observers):
        try:
            catalog.observe(name)
        except PluginError as err:
            if deployment.file is not None:
                yield deployment.file.problem(("observers", index), str(err))


def _with_default(part: Part) -> StepPlan:
    """Nothing is generated for a person at risk, unless the policy says so itself."""
    assert part.step is not None
    generates = isinstance(part.spec, ResponderSpec) and part.spec.generates
    when = part.step.when
    if not generates or (when is not None and _bounds_risk(when)):
        return part.step
    calm = RiskIs(at_most=Level.NONE)
    parts = (calm,) if when is None else (when, calm)
    return replace(part.step, when=conditions.All(parts=parts))


def _bounds_risk(when: conditions.Condition) -> bool:
    """Whether a condition says itself up to which level, of any kind and person, it holds."""
    match when:
        case RiskIs(at_most=most, kinds=kinds, subject=subject):
            return most is not None and not kinds and subject is None
        case conditions.All(parts=parts):
            return any(_bounds_risk(part) for part in parts)
        case conditions.AnyOf(parts=parts):
            return all(_bounds_risk(part) for part in parts)
        case _:
            return False


def _floor(policy: Policy, detectors: Sequence[Part]) -> list[Problem]:
    """The floor cannot be lost."""
    for part in detectors:
        spec, step = part.spec, part.step
        floor = isinstance(spec, DetectorSpec) and spec.in_process and "risk" in spec.writes
        # A required step that cannot be loaded fails every turn, so nothing gets past it either.
        if step is not None and step.required and (floor or spec is None):
            return []
    if policy.allow_no_floor:
        return []
    message = (
        "no step is a required in-process detector of risk; add '- use: lexicon' with "
        "'required: true', or write 'allow_no_floor: true' if you must"
    )
    return [policy.file.problem(("detect",), message, key=True)]


def _order(policy: Policy, detectors: Sequence[Part]) -> list[Problem]:
    """A step that reads signals comes after one that writes them."""
    problems = []
    written: set[str] = set()
    for part in detectors:
        if not isinstance(part.spec, DetectorSpec) or part.step is None:
            continue
        for kind in part.spec.reads:
            if kind not in written:
                message = f"'{part.name}' reads {kind} signals, and no step above writes them"
                problems.append(policy.file.problem((*part.step.location, "use"), message))
        written.update(part.spec.writes)
    return problems


def _last(policy: Policy, responders: Sequence[Part]) -> list[Problem]:
    last = responders[-1]
    if last.spec is None or last.step is None:
        return []
    certain = isinstance(last.spec, ResponderSpec) and last.spec.certain
    if certain and last.step.when is None:
        return []
    why = "has a 'when'" if certain else "can fail"
    message = f"the last responder must always answer, and '{last.name}' {why}; end with 'rules'"
    return [policy.file.problem((*last.step.location, "use"), message)]


def _targets(policy: Policy, deployment: Deployment) -> list[Problem]:
    known = [notifier.name for notifier in deployment.notifiers]
    problems = []
    rules = [(("crisis", i, "notify"), rule.scripted) for i, rule in enumerate(policy.crisis)]
    for location, scripted in [*rules, (("on_failure", "notify"), policy.on_failure)]:
        for index, (name, _) in enumerate(scripted.notify):
            if name not in known:
                hint = did_you_mean(name, known) or "; add it to sanad.yml"
                message = f"no notifier is named '{name}'{hint}"
                problems.append(policy.file.problem((*location, index), message))
    return problems
