"""`sanad eval screen`: recall, false alarms, kappa, calibration, robustness, latency."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sanad_core.cli import options

if TYPE_CHECKING:
    from sanad_core.deployment import Deployment
    from sanad_screen.evaluation.labelled import Labelled
    from sanad_screen.evaluation.report import Evaluation

__all__ = ["command"]


@click.command("screen", epilog="Example: sanad eval screen messages.jsonl --out report")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@options("policy", "config")
@click.option("--detector", metavar="NAME", help="One step alone instead of all of the policy's.")
@click.option("--compare", multiple=True, metavar="NAME", help="Another detector beside it.")
@click.option("--field", metavar="KEY", help="The key that holds the label.")
@click.option(
    "--label", multiple=True, metavar="VALUE=LEVEL", help="What a label means: low, low+, skip, …"
)
@click.option("--no-robustness", is_flag=True, help="Leave the mutations out: nine times faster.")
@click.option("--out", metavar="DIR", help="Also write report.md, report.json and report.html.")
@click.option(
    "--misses",
    default=50,
    type=click.IntRange(min=0),
    show_default=True,
    help="Missed rows listed in the report.",
)
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    policy: str | None,
    config: str | None,
    detector: str | None,
    compare: tuple[str, ...],
    field: str | None,
    label: tuple[str, ...],
    no_robustness: bool,
    out: str | None,
    misses: int,
) -> None:
    """Measure detection on labelled messages: JSONL with a text and a label a row.

    The label is a level, a C-SSRS severity of 0 to 6, or whatever --label says it means. Missed
    rows stand in the report by id; message text is written nowhere. Exit code 0: measured; 1: a
    file or a detector is wrong, or some row was not read; 2: usage.
    """
    import importlib.util

    from sanad_core import packaged
    from sanad_core.cli.open import output_folder
    from sanad_core.deployment import load_deployment
    from sanad_core.errors import MissingExtra

    if any(importlib.util.find_spec(name) is None for name in ("sklearn", "matplotlib")):
        raise MissingExtra("eval screen", "eval")
    from sanad_screen.evaluation.labelled import label_map, read_labelled

    folder = None if out is None else output_folder(out)
    labels = label_map(label)
    rows = [(Path(name).name, read_labelled(Path(name), field, labels)) for name in files]
    deployment, _ = load_deployment(config)
    path = packaged.find_policy(policy or deployment.policy or packaged.DEFAULT_POLICY)
    names: list[str | None] = [detector, *compare]
    evaluations = asyncio.run(_evaluate(path, deployment, names, rows, not no_robustness, misses))
    from sanad_screen.evaluation.report import as_html, as_json, as_markdown

    markdown = as_markdown(evaluations)
    click.echo(markdown, nl=False)
    if folder is not None:
        (folder / "report.md").write_text(markdown, encoding="utf-8")
        data: Any = [as_json(evaluation) for evaluation in evaluations]
        (folder / "report.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        (folder / "report.html").write_text(as_html(evaluations), encoding="utf-8")
        click.echo(f"\nreport.md, report.json and report.html are in {folder}", err=True)
    unread = sum(found.failed for evaluation in evaluations for found in evaluation.found)
    if unread:
        click.echo(f"sanad: rows that a detector failed to read: {unread}", err=True)
        ctx.exit(1)


async def _evaluate(
    policy: Path,
    deployment: Deployment,
    names: list[str | None],
    files: list[tuple[str, list[Labelled]]],
    robustness: bool,
    misses: int,
) -> list[Evaluation]:
    from sanad_core.cli.progress import progress
    from sanad_screen.evaluation.detect import findings, mutated, open_detection
    from sanad_screen.evaluation.report import Evaluation
    from sanad_screen.mutate import MUTATIONS

    rounds = 1 + (len(MUTATIONS) if robustness else 0)
    total = rounds * len(names) * sum(len(rows) for _, rows in files)
    evaluations = []
    with progress("evaluating", total) as told:
        for name in names:
            detection = await open_detection(
                name or f"policy {policy.stem}", policy, deployment, name
            )
            for file, rows in files:
                found = await findings(detection, rows, told)
                changed = {
                    mutation: await findings(detection, mutated(rows, mutation), told)
                    for mutation in (MUTATIONS if robustness else ())
                }
                evaluations.append(
                    Evaluation(
                        detector=detection.name,
                        versions=detection.versions,
                        file=file,
                        rows=tuple(rows),
                        found=tuple(found),
                        mutated={key: tuple(value) for key, value in changed.items()},
                        misses=misses,
                    )
                )
    return evaluations
