"""`sanad train nlu`: learn the intents of a file of examples."""

from __future__ import annotations

import time
from pathlib import Path

import click

__all__ = ["command"]


@click.command("nlu", epilog="Example: sanad train nlu nlu/support.yml")
@click.argument("examples", required=False, metavar="[EXAMPLES]")
@click.option(
    "--encoder",
    default="packaged",
    show_default=True,
    help="packaged, a folder, or the id of a sentence-transformers model.",
)
def command(examples: str | None, encoder: str) -> None:
    """Learn the intents of EXAMPLES, YAML of Sanad's form or Rasa's nlu.yml.

    The model is saved beside the file, with the file's hash: where the examples change, the
    detector says that it must be learned again. Without EXAMPLES, the packaged ones are learned.
    Exit code 0: learned; 1: the file is wrong; 2: usage.
    """
    from sanad_core.cli.progress import progress
    from sanad_core.errors import ContentError
    from sanad_intents.classifier import fit, model_path, save
    from sanad_intents.examples import PACKAGED, read_examples
    from sanad_intents.vectors import open_vectors
    from sanad_screen.detector import readable

    began = time.perf_counter()
    path = Path(examples) if examples is not None else PACKAGED
    found = read_examples(path)
    if Path(encoder).is_dir():
        encoder = str(Path(encoder).resolve())  # found again from wherever the bot runs
    vectors = open_vectors(encoder, path.parent)
    unread = sum(not readable(text) for text, _ in found.rows) if vectors.english else 0
    if unread:
        message = (
            f"{unread} examples are not in Latin letters, and the packaged encoder reads nothing "
            "else; name a multilingual one with --encoder"
        )
        raise ContentError.about(path, message)
    with progress("embedding", len(found.rows)) as told:
        embedded = vectors.of([text for text, _ in found.rows], told)
    classifier = fit(found, embedded, encoder)
    save(classifier, model_path(path))
    click.echo(
        f"{len(found.rows)} examples of {len(found.intents)} intents learned in "
        f"{time.perf_counter() - began:.1f} s; {classifier.accuracy:.1%} right on held-out "
        f"examples; saved as {model_path(path)}"
    )
