"""`sanad train screen`: from labelled rows to an int8 model with its thresholds and report."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command(
    "screen",
    epilog="Example: sanad train screen mine.jsonl --start models/all-MiniLM-L6-v2 --out run1",
)
@click.argument("rows", nargs=-1, metavar="[ROWS]...")
@click.option(
    "--start",
    default="sentence-transformers/all-MiniLM-L6-v2",
    show_default=True,
    help="The encoder to start from: a folder, or a hub id; any sentence-transformers BERT.",
)
@click.option("--out", required=True, metavar="DIR", help="Where the run is written.")
@click.option(
    "--public",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Folder of public sets that may train.",
)
@click.option("--leave-out", multiple=True, metavar="SET", help="A public set not to train on.")
@click.option("--corpus/--no-corpus", default=True, help="Train on Sanad's own corpus as well.")
@click.option(
    "--own",
    default=1.0,
    type=click.FloatRange(0, 20),
    show_default=True,
    help="How often an epoch sees ROWS.",
)
@click.option(
    "--only",
    type=click.FloatRange(0.01, 1),
    help="Share of the corpus to use, for learning curves.",
)
@click.option(
    "--go-on",
    metavar="RUN",
    help="Go on from an earlier run, or a model's folder, instead of the encoder; 'packaged': "
    "from Sanad's own model.",
)
@click.option(
    "--average",
    metavar="RUN",
    help="Train nothing: take the mean of the weights of --go-on and of this run.",
)
@click.option(
    "--epochs",
    default=3,
    type=click.IntRange(1, 50),
    show_default=True,
    help="At most; it stops early.",
)
@click.option(
    "--frozen",
    default=3,
    type=click.IntRange(min=1),
    show_default=True,
    help="First layers left as they are.",
)
@click.option(
    "--rate",
    default=3e-4,
    type=click.FloatRange(0, 1, min_open=True),
    show_default=True,
    help="Learning rate of the layers.",
)
@click.option(
    "--false-positives",
    default=0.03,
    show_default=True,
    help="Share of hard calm messages that may be reported at low, for the point 'default'.",
)
@click.option("--seed", default=13, show_default=True)
def command(
    rows: tuple[str, ...],
    start: str,
    out: str,
    public: str | None,
    leave_out: tuple[str, ...],
    corpus: bool,
    own: float,
    only: float | None,
    go_on: str | None,
    average: str | None,
    epochs: int,
    frozen: int,
    rate: float,
    false_positives: float,
    seed: int,
) -> None:
    """Train the screening model on the corpus, and on the labelled messages of ROWS (JSONL).

    A run takes 20 to 60 minutes on two cores. DIR then holds `model/`, which the policy's
    `screen` step takes as its `folder`, the weights in full precision, and a report. Exit code 0:
    trained; 1: rows are wrong; 2: usage, an encoder that cannot be used, or an int8 model that
    disagrees with the full one.
    """
    import importlib.util

    from sanad_core.cli.open import output_folder
    from sanad_core.errors import MissingExtra, UsageError

    wanted = ("torch", "transformers", "onnx", "datasketch", "sklearn", "matplotlib")
    if any(importlib.util.find_spec(name) is None for name in wanted):
        raise MissingExtra("train screen", "screen")
    if not rows and not corpus and public is None:
        raise UsageError("there is nothing to train on; name a file of ROWS, or use --corpus")
    if average is not None and go_on is None:
        raise UsageError("--average takes the mean of two runs; name the other one with --go-on")
    from sanad_screen.training.fit import Recipe
    from sanad_screen.training.mix import Run
    from sanad_screen.training.public import SETS
    from sanad_screen.training.run import train

    for name in leave_out:
        if name not in SETS:
            raise UsageError(f"--leave-out takes one of {', '.join(SETS)}, not '{name}'")
    if not 0 < false_positives < 1:
        raise UsageError(f"--false-positives takes a share between 0 and 1, not {false_positives}")
    done = train(
        Run(
            start=start,
            out=output_folder(out),
            rows=tuple(Path(name) for name in rows),
            public=None if public is None else Path(public),
            leave_out=leave_out,
            corpus=corpus,
            own=own,
            only=only,
            go_on=None if go_on is None else Path(go_on),
            average=None if average is None else Path(average),
            false_positives=false_positives,
            recipe=Recipe(epochs=epochs, frozen=frozen, rate=rate, seed=seed),
        )
    )
    click.echo(done.summary)
