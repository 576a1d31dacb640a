"""`sanad data clean`."""

from __future__ import annotations

from pathlib import Path

import click

from sanad_data.spread import spread_options

__all__ = ["command"]


@click.command("clean", epilog="Example: sanad data clean talks.jsonl --out clean.jsonl")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", required=True, metavar="OUT", help="Where those that are kept are written.")
@click.option(
    "--language",
    multiple=True,
    default=("en",),
    show_default=True,
    metavar="CODE",
    help="To keep; 'any': all of them.",
)
@click.option(
    "--shortest",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="Words that each side says, at least.",
)
@click.option(
    "--longest",
    default=20_000,
    show_default=True,
    type=click.IntRange(min=100, max=100_000),
    help="Characters of a turn, at most.",
)
@click.option(
    "--crisis",
    default="moderate",
    show_default=True,
    type=click.Choice(["low", "moderate", "high", "imminent"]),
    help="The risk from which a conversation is marked.",
)
@click.option("--policy", metavar="POLICY", help="Whose guard and detectors look at them.")
@click.option("--keep-unsafe", is_flag=True, help="Leave answers in that the guard would block.")
@click.option("--keep-personal", is_flag=True, help="Leave personal data in.")
@spread_options
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    out: str,
    language: tuple[str, ...],
    shortest: int,
    longest: int,
    crisis: str,
    policy: str | None,
    keep_unsafe: bool,
    keep_personal: bool,
    workers: int | None,
    ray: str | None,
) -> None:
    """Clean conversations: what is kept goes to OUT, in the form of `sanad data import`.

    Texts are mended (wrong decodings, HTML, hidden characters). A conversation is removed where it
    is in another language, too short, too long, noise, or the same as an earlier one or nearly so.
    Answers that the reply guard would block are taken out; a conversation without any answer left
    is removed. Conversations in which somebody is in danger are marked. Personal data is put under
    pseudonyms, the same in all turns of a conversation, its topic, source and labels; groups get
    other names, which nobody can look up, in each run.

    OUT.removed.jsonl names each conversation that was removed and why; OUT.report.md and
    OUT.report.json count them, with samples. Exit code 0: cleaned; 1: a line is no conversation, or
    a file cannot be read; 2: usage.
    """
    import gc

    from sanad_core.cli.progress import progress
    from sanad_data import cleaning_report
    from sanad_data.cleaning import Rules, run
    from sanad_data.extras import FOR_CLEANING, needs
    from sanad_data.review import Judging

    needs("data clean", FOR_CLEANING)
    _known(language)
    gc.enable()  # it is off for the start of a command, and this one may run for hours
    judging = Judging(policy=policy, crisis=crisis, guard=not keep_unsafe, scrub=not keep_personal)
    wanted = Rules(
        languages=frozenset() if "any" in language else frozenset(language),
        shortest=shortest,
        longest=longest,
        judging=judging,
    )
    with progress("cleaned") as tell:
        cleaned = run(
            [Path(file) for file in files], Path(out), wanted, workers=workers, ray=ray, tell=tell
        )
    for problem in cleaned.problems:
        click.echo(problem.shown(), err=True)
    click.echo(cleaning_report.summary(cleaned, Path(out)))
    ctx.exit(1 if cleaned.wrong else 0)


def _known(codes: tuple[str, ...]) -> None:
    from sanad_core.problems import did_you_mean
    from sanad_data.language import known

    for code in codes:
        if code != "any" and code not in known():
            raise click.UsageError(
                f"--language: '{code}' is no code of a language that can be told, of ISO 639-1, "
                f"such as en{did_you_mean(code, known())}"
            )
