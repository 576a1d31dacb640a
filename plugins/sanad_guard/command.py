"""`sanad train guard`: from labelled drafts to the guard's encoder with its thresholds."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command(
    "guard", epilog="Example: sanad train guard mine.jsonl --start models/all-MiniLM-L6-v2 --out g1"
)
@click.argument("rows", nargs=-1, metavar="[ROWS]...")
@click.option(
    "--start",
    default="sentence-transformers/all-MiniLM-L6-v2",
    show_default=True,
    help="all-MiniLM-L6-v2, a folder or its hub id: the guard shares its first layers.",
)
@click.option("--out", required=True, metavar="DIR", help="Where the run is written.")
@click.option(
    "--good-blocked",
    default=0.02,
    show_default=True,
    type=click.FloatRange(0, 0.5, min_open=True),
    help="Share of good held-out replies that may be blocked.",
)
@click.option(
    "--public",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of public sets, whose labelled answers train as well.",
)
@click.option("--corpus/--no-corpus", default=True, help="Train on Sanad's own drafts as well.")
@click.option("--epochs", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--rate", default=2e-4, show_default=True, type=click.FloatRange(0, 1, min_open=True))
@click.option("--seed", default=13, show_default=True)
def command(
    rows: tuple[str, ...],
    start: str,
    out: str,
    good_blocked: float,
    public: str | None,
    corpus: bool,
    epochs: int,
    rate: float,
    seed: int,
) -> None:
    """Train the reply guard on its corpus, and on the labelled drafts of ROWS (JSONL).

    DIR then holds `model/`, which the policy's `reply_guard` takes as its `folder`, and a report.
    Exit code 0: trained; 1: rows are wrong; 2: usage, or an encoder that cannot be used.
    """
    import importlib.util

    from sanad_core.cli.open import output_folder
    from sanad_core.errors import MissingExtra, UsageError

    if any(
        importlib.util.find_spec(name) is None
        for name in ("torch", "transformers", "onnx", "sklearn")
    ):
        raise MissingExtra("train guard", "screen")
    if not rows and not corpus:
        raise UsageError("there is nothing to train on; name a file of ROWS, or use --corpus")
    from sanad_guard.training.fit import Recipe
    from sanad_guard.training.run import Run, train

    run = Run(
        start=start,
        out=output_folder(out),
        rows=tuple(Path(name) for name in rows),
        public=None if public is None else Path(public),
        corpus=corpus,
        good_blocked=good_blocked,
        recipe=Recipe(epochs=epochs, rate=rate, seed=seed),
    )
    click.echo(train(run))
