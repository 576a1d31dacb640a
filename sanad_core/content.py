"""The texts and helplines that a policy needs: loaded, and what is missing of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core import conditions, packaged
from sanad_core.conditions import RiskIs
from sanad_core.errors import ContentError
from sanad_core.helplines import load_helplines
from sanad_core.render import CORRECTED, INTERRUPTED, REMINDER, START
from sanad_core.replies import load_replies
from sanad_core.risk import RiskKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.deployment import Deployment
    from sanad_core.helplines import HelplineRegistry
    from sanad_core.policy import Policy, Rule
    from sanad_core.problems import Problem
    from sanad_core.replies import ReplyBook
    from sanad_core.yamlfile import Location

__all__ = ["load_content", "region_problems", "text_problems"]


def region_problems(
    policy: Policy, deployment: Deployment, registry: HelplineRegistry | None
) -> list[Problem]:
    """A warning where the registry does not know the country."""
    region = deployment.region or policy.region
    if registry is None or region is None or region in registry.regions:
        return []
    message = f"the helpline registry has no region '{region}': people there get the directory"
    in_deployment = deployment.file is not None and deployment.region is not None
    file = deployment.file if in_deployment and deployment.file is not None else policy.file
    return [file.problem(("region",), message, warning=True)]


def text_problems(policy: Policy, books: dict[str, ReplyBook]) -> Iterator[Problem]:
    """Every scripted text that the policy can give exists, in every language, for every kind."""
    wanted: dict[tuple[str, RiskKind | None], Location] = {}
    for index, rule in enumerate(policy.crisis):
        for kind in _kinds(rule):
            wanted.setdefault((rule.scripted.reply, kind), ("crisis", index, "reply"))
    for kind in RiskKind:
        wanted.setdefault((policy.held.reply, kind), ("held", "reply"))
    wanted.setdefault((policy.on_failure.reply, None), ("on_failure", "reply"))
    wanted.setdefault((policy.fallback, None), ("respond", "fallback"))
    for key in (START, REMINDER):
        wanted.setdefault((key, None), ("disclosure",))
    for key in (CORRECTED, INTERRUPTED):
        wanted.setdefault((key, None), ("respond",))
    for (key, kind), location in wanted.items():
        for locale, book in books.items():
            if not book.variants(key, kind):
                name = f"{key}/{kind}" if kind else key
                message = f"there is no text '{name}' in the language '{locale}'"
                yield policy.file.problem(location, message)


def _kinds(rule: Rule) -> tuple[RiskKind | None, ...]:
    """The kinds of risk that a rule can answer; None where it can fire without any risk."""
    parts = list(conditions.walk(rule.when))
    tests = [part for part in parts if isinstance(part, RiskIs)]
    kinds = [kind for test in tests for kind in test.kinds or RiskKind]
    others = any(not isinstance(part, RiskIs | conditions.All | conditions.AnyOf) for part in parts)
    return (*dict.fromkeys(kinds), None) if others or not tests else tuple(dict.fromkeys(kinds))


def load_content(
    policy: Policy, deployment: Deployment
) -> tuple[dict[str, ReplyBook], HelplineRegistry | None, list[Problem]]:
    """The texts of each language and the registry, as far as they can be read."""
    problems: list[Problem] = []
    folders = [
        folder.resolve() / "replies" for folder in (Path(policy.path).parent, packaged.policies())
    ]
    books: dict[str, ReplyBook] = {}
    for index, locale in enumerate(policy.locales):
        try:
            books[locale] = load_replies(dict.fromkeys(folders), locale)
        except ContentError as err:
            missing = not any((folder / f"{locale}.yml").is_file() for folder in folders)
            message = err.problems[0].message
            problems += (
                [policy.file.problem(("locales", index), message)] if missing else err.problems
            )
    try:
        path = deployment.helplines or packaged.policies() / "helplines.yml"
        registry, warnings = load_helplines(path)
    except ContentError as err:
        return books, None, [*problems, *err.problems]
    return books, registry, [*problems, *warnings]
