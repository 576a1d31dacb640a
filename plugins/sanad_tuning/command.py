"""`sanad train responder`: from conversations to a fine-tuned model."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command(
    "responder",
    epilog="Example: sanad train responder --model_name models/smollm2 --dataset_path train.jsonl "
    "--output_dir runs/first",
)
@click.option("--model_name", required=True, help="A folder or hub id; any causal model.")
@click.option("--dataset_path", required=True, metavar="FILE", help="Conversations to learn from.")
@click.option("--eval_path", metavar="FILE", help="Held-out ones; default: one in twenty of FILE.")
@click.option("--output_dir", required=True, metavar="DIR", help="Where the run is written.")
@click.option("--recipe", type=click.Choice(["sft", "dpo"]), default="sft", show_default=True)
@click.option(
    "--method",
    type=click.Choice(["lora", "qlora", "full"]),
    default="lora",
    show_default=True,
    help="qlora: on 4-bit weights, which needs a GPU.",
)
@click.option("--epochs", default=3.0, type=click.FloatRange(0, min_open=True), show_default=True)
@click.option("--max_steps", default=-1, show_default=True, help="Ends sooner; -1: it does not.")
@click.option("--learning_rate", type=float, help="Default: 2e-4 for lora, 2e-5 for full.")
@click.option("--batch_size", default=4, type=click.IntRange(1), show_default=True)
@click.option("--accumulate", default=4, type=click.IntRange(1), show_default=True)
@click.option("--max_length", default=1024, type=click.IntRange(32), show_default=True)
@click.option("--rank", default=16, type=click.IntRange(1, 64), show_default=True, help="Of LoRA.")
@click.option("--save_steps", default=100, type=click.IntRange(1), show_default=True)
@click.option("--save_limit", default=2, type=click.IntRange(1), show_default=True)
@click.option("--patience", default=3, type=click.IntRange(1), show_default=True)
@click.option("--system", default="", help="What the model is told first, in each example.")
@click.option("--merge/--adapter", default=True, help="Write a whole model as well, or not.")
@click.option("--seed", default=13, show_default=True)
def command(**given: object) -> None:
    """Fine-tune a model on the supporters' turns of FILE.

    A killed run goes on from its last checkpoint when it is called again with the same options.
    DIR then holds `adapter/` and `model/`, the metrics, a plot of the loss and a model card. Exit
    code 0: trained; 1: rows are wrong, or the model cannot be loaded; 2: usage.
    """
    import importlib.util

    from sanad_core.errors import MissingExtra

    wanted = ("torch", "transformers", "trl", "peft", "datasets", "matplotlib")
    if any(importlib.util.find_spec(name) is None for name in wanted):
        raise MissingExtra("train responder", "train")
    from sanad_tuning.run import Run, tune

    paths = {name: Path(str(given.pop(name))) for name in ("dataset_path", "output_dir")}
    held = given.pop("eval_path")
    run = Run(**paths, eval_path=None if held is None else Path(str(held)), **given)  # type: ignore[arg-type]
    click.echo(tune(run))
