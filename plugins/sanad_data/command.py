"""`sanad data import`."""

from __future__ import annotations

from pathlib import Path

import click

from sanad_data.spread import spread_options

__all__ = ["import_"]


@click.command("import", epilog="Example: sanad data import counsel_chat.csv --out talks.jsonl")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", required=True, metavar="OUT", help="Where the conversations are written.")
@click.option("--form", metavar="FORM", help="Of every FILE; default: told by its beginning.")
@click.option("--source", default="", help="Where they are from; default: the set, else FORM-CODE.")
@click.option("--licence", default="", help="Under which they may be used, such as CC-BY-4.0.")
@click.option("--topic", default="", help="Of conversations whose file gives none.")
@click.option(
    "--reject-over",
    default=0.05,
    type=click.FloatRange(0, 1),
    show_default=True,
    metavar="SHARE",
    help="Exit with 1 where a larger share of the records is wrong.",
)
@spread_options
def import_(
    files: tuple[str, ...],
    out: str,
    form: str | None,
    source: str,
    licence: str,
    topic: str,
    reject_over: float,
    workers: int | None,
    ray: str | None,
) -> None:
    """Import conversations into one form: a JSON object a line, in OUT.

    FORM is one of guide, counsel_chat, esconv, faq, empathetic, annomi, dreaddit, reddit, forum,
    transcript, subtitles, guideline and chat. A FILE may be packed with zstd, and of any size.

    What becomes no conversation is in OUT.rejects.jsonl, each with its file, line and reason;
    those left out by rule, such as posts that were removed, do not count as wrong. The name of a
    file is not kept, since it may be a person's: CODE is made of it. Exit code 0:
    imported; 1: a file cannot be read, or too many records are wrong; 2: usage.
    """
    import gc

    from sanad_core.cli.progress import progress
    from sanad_data.importing import Wanted, check, rejects_of, run

    gc.enable()  # it is off for the start of a command, and this one may run for hours
    wanted = Wanted(
        files=tuple(map(Path, files)),
        out=Path(out),
        form=form,
        source=source,
        licence=licence,
        topic=topic,
        reject_over=reject_over,
        workers=workers,
        ray=ray,
    )
    with progress("importing") as tell:
        counts = run(wanted, tell)
    click.echo(
        f"{counts.records:,} records in: {counts.taken:,} taken, {counts.rejects:,} rejected "
        f"({counts.wrong.total():,} wrong); {counts.talks:,} conversations in {out}, the rejects "
        f"in {rejects_of(wanted.out)}"
    )
    check(counts, wanted)
    if not licence:
        click.echo("sanad: their licence is not known; say it with --licence", err=True)
