"""`sanad check`: every problem of a policy with its place, and the table of what it decides."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from sanad_core.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sanad_core.check import Case, Checked
    from sanad_core.problems import Problem

__all__ = ["command"]

PIPED_WIDTH = 140


@click.command("check", epilog="Example: sanad check policies/default.yml")
@click.argument("policies", nargs=-1, metavar="[POLICY]...")
@click.option("--json", "as_json", is_flag=True, help="A JSON list with an object for each.")
@options("config")
@click.pass_context
def command(
    ctx: click.Context, policies: tuple[str, ...], as_json: bool, config: str | None
) -> None:
    """Check each POLICY: its form, what it names, and what it decides.

    It proves what the policy decides, not that detection is right. Exit code 0: clean, warnings
    allowed; 1: problems; 2: usage.
    """
    from sanad_core import packaged
    from sanad_core.check import check_policy
    from sanad_core.deployment import load_deployment
    from sanad_core.errors import ConfigError
    from sanad_core.plugins import Catalog

    deployment, warnings = load_deployment(config)
    names = policies or (deployment.policy or packaged.DEFAULT_POLICY,)
    results: list[tuple[str, Checked]] = []
    for name in names:
        try:
            path = packaged.find_policy(name)
            results.append((str(path), check_policy(path, deployment, Catalog())))
        except ConfigError as err:
            from sanad_core.check import Checked

            results.append((name, Checked(policy=None, problems=err.problems)))
    if as_json:
        click.echo(json.dumps([_view(name, checked) for name, checked in results]))
    else:
        for problem in warnings:
            click.echo(problem.shown())
        for name, checked in results:
            _show(name, checked)
    ctx.exit(0 if all(checked.clean for _, checked in results) else 1)


def _show(name: str, checked: Checked) -> None:
    for problem in checked.problems:
        click.echo(problem.shown())
    errors = sum(not problem.warning for problem in checked.problems)
    if checked.policy is None or errors:
        click.echo(f"{name}: {errors} problem{'s' if errors != 1 else ''}")
        return
    _table(checked)
    click.echo(
        f"{name}: clean. {len(checked.table)} cases decided; this proves what the policy decides, "
        "not that detection is right."
    )


def _table(checked: Checked) -> None:
    from rich.console import Console
    from rich.table import Table

    assert checked.policy is not None
    table = Table(title=f"Rules of policy '{checked.policy.name}', in order", title_justify="left")
    for heading in ("rule", "at", "reply", "helplines", "hold", "tells", "cases"):
        table.add_column(heading, overflow="fold")
    for row in _rows(checked):
        table.add_row(*row)
    # Piped, the table keeps its columns; on a terminal it takes what there is.
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    Console(file=sys.stdout, highlight=False, width=width).print(table)


def _rows(checked: Checked) -> Iterable[tuple[str, ...]]:
    from sanad_core.text import spoken

    policy = checked.policy
    assert policy is not None
    for rule in policy.crisis:
        hold = "-"
        if rule.holds:
            hold = spoken(rule.hold) if rule.hold is not None else "until acknowledged"
        scripted = rule.scripted
        yield (
            scripted.name,
            scripted.at,
            scripted.reply,
            ", ".join(scripted.helplines),
            hold,
            ", ".join(name for name, _ in scripted.notify) or "-",
            str(_count(checked.table, scripted.name)),
        )
    for scripted in (policy.held, policy.on_failure):
        name = None if scripted is policy.held else scripted.name
        count = sum(
            case.decision.cause == ("hold" if name is None else "failure") for case in checked.table
        )
        lines = ", ".join(scripted.helplines)
        yield (scripted.name, scripted.at, scripted.reply, lines, "-", "-", str(count))
    chain = " → ".join(step.name for step in policy.chain)
    count = sum(case.decision.cause == "respond" for case in checked.table)
    yield ("(responders)", policy.file.at(("respond",)), chain, "-", "-", "-", str(count))


def _count(table: tuple[Case, ...], rule: str) -> int:
    return sum(case.decision.rule == rule for case in table)


def _view(name: str, checked: Checked) -> dict[str, Any]:
    return {
        "policy": name,
        "clean": checked.clean,
        "problems": [_problem(problem) for problem in checked.problems],
        "cases": [
            {
                "level": case.level.value,
                "kind": case.kind.value if case.kind else None,
                "subject": case.subject.value if case.subject else None,
                "held": case.held,
                "failed": case.failed,
                "cause": case.decision.cause.value,
                "rule": case.decision.rule,
            }
            for case in checked.table
        ],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "warning": problem.warning,
    }
