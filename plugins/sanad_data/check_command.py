"""`sanad data check`, `split`, `stats` and `show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sanad_data.spread import spread_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sanad_core.problems import Problem
    from sanad_data.figures import Gathered
    from sanad_data.report import Checked

__all__ = ["check", "show", "split", "stats"]


@click.command("check", epilog="Example: sanad data check train.jsonl dev.jsonl --out card")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--pairs",
    default=1000,
    show_default=True,
    type=click.IntRange(min=0),
    help="The fewest pairs of a person's turn and its answer.",
)
@click.option(
    "--reviewed",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="The least share of conversations that a professional read.",
)
@click.option(
    "--conditions",
    default=2,
    show_default=True,
    type=click.IntRange(min=0),
    help="The fewest conditions.",
)
@click.option(
    "--language", multiple=True, metavar="CODE", help="Wanted, such as en; default: the main one."
)
@click.option("--name", metavar="NAME", help="Of the whole; default: the first file's.")
@click.option("--out", metavar="DIR", help="Also write card.md, report.json and report.html.")
@click.option("--json", "as_data", is_flag=True, help="One JSON object.")
@spread_options
@click.pass_context
def check(
    ctx: click.Context,
    files: tuple[str, ...],
    pairs: int,
    reviewed: float,
    conditions: int,
    language: tuple[str, ...],
    name: str | None,
    out: str | None,
    as_data: bool,
    workers: int | None,
    ray: str | None,
) -> None:
    """Check conversations against what the training guide asks of them.

    Several FILEs are taken for splits of one whole, which have no person, thread or text in
    common. Each requirement passes, warns or fails; card.md is a data card for whoever trains on
    them. Exit code 0: none fails; 1: one fails, or a file cannot be read; 2: usage.
    """
    from sanad_data import checking
    from sanad_data.report import Checked

    wanted = checking.Requirements(
        pairs=pairs, reviewed=reviewed, conditions=conditions, languages=frozenset(language)
    )
    gathered = _gathered("check", files, workers, ray)
    findings = checking.check(gathered, wanted)
    checked = Checked(name=name or Path(files[0]).stem, gathered=gathered, findings=tuple(findings))
    _tell(gathered.problems)
    _report(checked, None if out is None else Path(out), as_data)
    ctx.exit(1 if checked.verdict == "fail" else 0)


@click.command("stats", epilog="Example: sanad data stats talks.jsonl")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_data", is_flag=True, help="One JSON object.")
@spread_options
@click.pass_context
def stats(
    ctx: click.Context, files: tuple[str, ...], as_data: bool, workers: int | None, ray: str | None
) -> None:
    """Count conversations: how many, how long, about what, from where, in which language.

    Exit code 0: all were counted; 1: a line is no conversation; 2: usage.
    """
    import json

    from sanad_data.figures import as_json
    from sanad_data.report import as_markdown, figure_blocks

    gathered = _gathered("stats", files, workers, ray, compared=False)
    _tell(gathered.problems)
    data = as_json(gathered.whole)
    click.echo(json.dumps(data) if as_data else as_markdown(figure_blocks(data)).rstrip())
    ctx.exit(1 if gathered.wrong else 0)


@click.command("split", epilog="Example: sanad data split talks.jsonl --out splits")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", required=True, metavar="DIR", help="Where the splits are written.")
@click.option(
    "--share",
    "shares",
    multiple=True,
    default=("train=0.8", "dev=0.1", "test=0.1"),
    show_default=True,
    metavar="NAME=SHARE",
    help="A split, written to NAME.jsonl; all shares together are 1.",
)
@click.option("--seed", default=13, show_default=True, help="The same one gives the same splits.")
@spread_options
def split(
    files: tuple[str, ...],
    out: str,
    shares: tuple[str, ...],
    seed: int,
    workers: int | None,
    ray: str | None,
) -> None:
    """Split conversations into files to train on, to tune on, and to measure with.

    A person's or thread's conversations stay in one split, and so do those with the same opening
    or nearly the same text; conditions are spread over the splits by their shares. Exit code 0:
    split; 1: a line is no conversation, or there are too few, and nothing is written; 2: usage.
    """
    import gc

    from sanad_core.cli.progress import progress
    from sanad_data import splitting
    from sanad_data.extras import FOR_COUNTING, needs

    needs("data split", FOR_COUNTING)
    gc.enable()  # as for a check
    wanted = splitting.named_shares(shares)
    with progress("splitting") as tell:
        found = splitting.split(
            [Path(file) for file in files],
            Path(out),
            wanted,
            seed,
            workers=workers,
            ray=ray,
            tell=tell,
        )
    for part in found:
        click.echo(
            f"{part.name}: {part.conversations:,} conversations of {part.units:,} persons, "
            f"threads and single ones in {Path(out) / part.name}.jsonl"
        )


@click.command("show", epilog="Example: sanad data show talks.jsonl --sample 3")
@click.argument("file", metavar="FILE")
@click.argument("ident", required=False, metavar="[ID]")
@click.option(
    "--sample", "count", default=3, show_default=True, type=click.IntRange(min=1), metavar="N"
)
@click.option("--seed", default=13, show_default=True, help="Another one shows other ones.")
@click.option("--condition", metavar="NAME", help="Only conversations about it.")
@click.pass_context
def show(
    ctx: click.Context, file: str, ident: str | None, count: int, seed: int, condition: str | None
) -> None:
    """Show conversations of FILE to read: the one of ID, or a sample of all.

    Exit code 0: shown; 1: a line is no conversation, or there is none to show; 2: usage.
    """
    from rich.console import Console

    from sanad_data.showing import WIDTH, named, print_talk, sample

    _known(condition)
    console = Console(width=min(WIDTH, Console().width), highlight=False)
    if ident is not None:
        print_talk(console, named(Path(file), ident))
        return
    talks, problems = sample(Path(file), count, seed, condition)
    for talk in talks:
        print_talk(console, talk)
    _tell(problems[:20])
    if not talks:
        click.echo(
            f"{file}: holds no conversation{f' about {condition}' * bool(condition)}", err=True
        )
    ctx.exit(1 if problems or not talks else 0)


def _gathered(
    name: str, files: Iterable[str], workers: int | None, ray: str | None, *, compared: bool = True
) -> Gathered:
    import gc

    from sanad_core.cli.progress import progress
    from sanad_data.extras import FOR_COUNTING, needs
    from sanad_data.figures import gather

    needs(f"data {name}", FOR_COUNTING)
    gc.enable()  # it is off for the start of a command, and this one may run for hours
    with progress("reading") as tell:
        paths = [Path(file) for file in files]
        return gather(paths, compared=compared, workers=workers, ray=ray, tell=tell)


def _known(condition: str | None) -> None:
    from sanad_core.problems import did_you_mean, one_of
    from sanad_core.risk import CONDITIONS

    if condition is not None and condition not in CONDITIONS:
        hint = did_you_mean(condition, CONDITIONS) or f"; there is {one_of(CONDITIONS)}"
        raise click.UsageError(f"--condition: '{condition}' is not known{hint}")


def _tell(problems: Iterable[Problem]) -> None:
    for problem in problems:
        click.echo(str(problem), err=True)


def _report(checked: Checked, folder: Path | None, as_data: bool) -> None:
    """Print what was found, and write it to a folder."""
    import json

    from sanad_data import report
    from sanad_data.talks import written

    data = report.as_json(checked)
    blocks = report.finding_blocks(checked.findings)
    click.echo(json.dumps(data) if as_data else report.as_markdown(blocks).rstrip())
    if folder is None:
        return
    reports = {
        "card.md": report.as_card(checked, data),
        "report.json": json.dumps(data, indent=1) + "\n",
        "report.html": report.as_html(checked, data),
    }
    for name, text in reports.items():
        with written(folder / name) as file:
            file.write(text)
    click.echo(f"\ncard.md, report.json and report.html are in {folder}", err=True)
