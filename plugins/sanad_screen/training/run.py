"""One training run: rows, trunk, fit, calibration, export, agreement, report."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import click
import numpy as np
import torch

from sanad_core.cli.progress import progress
from sanad_core.errors import UsageError
from sanad_screen.encoder import TOKENIZER, Encoder
from sanad_screen.evaluation.measure import share
from sanad_screen.labels import CONDITIONS, EMOTIONS, KINDS, LEVELS, OUTPUTS
from sanad_screen.model import CARD, Card, at_least, digests
from sanad_screen.rows import Row, read_rows
from sanad_screen.tokens import Reader
from sanad_screen.training import calibrate
from sanad_screen.training.export import Given, export, sampled
from sanad_screen.training.fit import Fitted, fit, held_losses, logits_of
from sanad_screen.training.mix import Rows, Run, rows_of
from sanad_screen.training.network import Branch, NotBert, Plain, Trunk, load_encoder
from sanad_screen.training.report import write_report
from sanad_screen.training.tensors import Example, examples, inputs, tokens_of
from sanad_screen.training.weights import WEIGHTS, go_on, keep

__all__ = ["Done", "train"]

AGREE = 0.94  # share of held-out rows that the int8 model must put on the same level


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a run gave: the model's folder, and a few lines on it."""

    model: Path
    summary: str


def train(run: Run) -> Done:
    """Train a model and write everything of the run.

    Raises:
        ContentError: a file of rows is wrong.
        UsageError: the encoder cannot be loaded, or the int8 model disagrees with the full one.
    """
    began = time.monotonic()
    torch.manual_seed(run.recipe.seed)
    # A mistake in them is told before anything is fetched or made.
    own = [(path.stem, read_rows(path)) for path in run.rows]
    encoder, tokenizer = _encoder(run.start)
    if not 0 < run.recipe.frozen < len(encoder.encoder.layer):
        most = len(encoder.encoder.layer) - 1
        raise UsageError(f"--frozen takes 1 to {most} for this encoder, not {run.recipe.frozen}")
    model = run.out / "model"
    model.mkdir(parents=True, exist_ok=True)
    trunk = Trunk(encoder, run.recipe.frozen).eval()
    branch = Branch(encoder, run.recipe.frozen)
    if run.go_on is not None:
        go_on(branch, run.go_on)
    rows = rows_of(run, own)  # takes a minute or two, so what can be wrong is looked at before
    tokenizer.backend_tokenizer.save(str(model / TOKENIZER))
    reader = Reader(model / TOKENIZER)
    if run.average is None:
        fitted, dev = _fit(run, rows, reader, trunk, branch)
    else:
        fitted, dev = _averaged(run.average, rows, reader, trunk, branch)
    keep(branch, run.out / WEIGHTS)
    export(trunk, branch, Plain(encoder, run.recipe.frozen).eval(), _seen(rows, reader), model)
    full = logits_of(branch, dev)["level"].numpy()
    # Calibrated on what will run: the int8 model, one message at a time.
    logits = _run(model, rows.dev)
    calm = [_run(model, given)["level"] for given in (rows.everyday, rows.talks)]
    card = _card(run, rows, logits, calm, model)
    agree = _agreement(logits["level"], full, card)
    agreement = sum(agree) / len(agree)
    minutes = (time.monotonic() - began) / 60
    summary = write_report(run.out, asdict(run), fitted, rows.dev, logits, card, agreement, minutes)
    # A handful of rows proves nothing: what counts is what the agreement can be at best.
    if share(agree).high < AGREE:
        raise UsageError(
            f"the int8 model puts only {agreement:.1%} of the held-out rows on the level that the "
            f"full one does; {AGREE:.0%} are asked. Train longer, or with another --seed"
        )
    # Without its card a folder is no model: one that was refused cannot be used by mistake.
    (model / CARD).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return Done(model=model, summary=summary)


def _encoder(name: str) -> tuple[Any, Any]:
    try:
        return load_encoder(name)
    except NotBert as err:
        raise UsageError(str(err)) from None
    except (OSError, ValueError) as err:
        raise UsageError(
            f"the encoder '{name}' cannot be loaded ({type(err).__name__}); name a folder with a "
            "sentence-transformers model, or an id that this machine can fetch"
        ) from None


def _fit(
    run: Run, rows: Rows, reader: Reader, trunk: Trunk, branch: Branch
) -> tuple[Fitted, list[Example]]:
    total = sum(len(part.rows) for part in rows.parts) + len(rows.dev)
    with progress("reading", total) as told:
        read = [examples(part.rows, reader, trunk, told) for part in rows.parts]
        dev = examples(rows.dev, reader, trunk, told)

    def epoch(chance: Random) -> list[Example]:
        return [
            found[at]
            for part, found in zip(rows.parts, read, strict=True)
            for at in part.places(chance)
        ]

    # The bar counts thousandths of the run: how many batches there are shows as it goes.
    with progress("training", 1000) as told:
        done = 0

        def step(at: int, of: int) -> None:
            nonlocal done
            now = 1000 * at // of
            told(now - done)
            done = now

        def heard(number: int, losses: dict[str, float]) -> None:
            shown = (
                f"epoch {number}: loss {losses['train']:.3f}, held-out level {losses['level']:.4f}"
            )
            click.echo(shown, err=True)

        fitted = fit(branch, run.recipe, epoch, dev, step, heard)
    return fitted, dev


def _averaged(
    other: Path, rows: Rows, reader: Reader, trunk: Trunk, branch: Branch
) -> tuple[Fitted, list[Example]]:
    """The mean of a branch's weights and those of another run that began with the same ones.

    What a run learned last it often learned too well; the mean keeps most of it, and more of what
    was known before. Source: Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022.
    """
    own = {name: weight.clone() for name, weight in branch.state_dict().items()}
    go_on(branch, other)
    mean = {
        name: (own[name] + weight) / 2 if weight.is_floating_point() else weight
        for name, weight in branch.state_dict().items()
    }
    branch.load_state_dict(mean)
    branch.eval()
    with progress("reading", len(rows.dev)) as told:
        dev = examples(rows.dev, reader, trunk, told)
    return Fitted(branch=branch, losses=[held_losses(branch, dev)]), dev


def _seen(rows: Rows, reader: Reader) -> list[Given]:
    """Held-out messages, as they are read; the int8 scales are measured on them."""
    held = sampled([*rows.dev, *rows.talks])
    return [inputs([tokens_of(row, reader)], reader) for row in held]


def _card(run: Run, rows: Rows, logits: dict[str, Any], calm: list[Any], model: Path) -> Card:
    ranks = calibrate.ranks_of(rows.dev)
    known = ranks >= 0
    warmth = calibrate.temperature(logits["level"][known], ranks[known])
    hard = at_least(logits["level"][ranks == 0], warmth)
    everyday, talks = (at_least(given, warmth) for given in calm)
    rates = calibrate.POINTS | {"default": run.false_positives}
    return Card(
        start=Path(run.start).name if os.path.isdir(run.start) else run.start,
        levels=[str(level) for level in LEVELS],
        kinds=[str(kind) for kind in KINDS],
        conditions=list(CONDITIONS),
        emotions=list(EMOTIONS),
        temperature=round(warmth, 4),
        points={name: calibrate.thresholds(hard, everyday, rate) for name, rate in rates.items()},
        context={name: calibrate.in_context(talks, rate) for name, rate in rates.items()},
        other=calibrate.other_threshold(logits["subject"], rows.dev),
        condition_thresholds=calibrate.condition_thresholds(logits["condition"], rows.dev),
        emotion_threshold=0.35,
        neutral=calibrate.neutral_threshold(logits["sentiment"], rows.dev),
        data=rows.digest,
        files=digests(model),
    )


def _run(model: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Each head's logits of the exported model."""
    encoder = Encoder(model)
    read = [tokens_of(row, encoder.reader) for row in rows]
    found = [encoder.screen([tokens])[0].logits for tokens in read]
    return {
        name: np.array([logits[name] for logits in found]).reshape(len(found), width)
        for name, width in OUTPUTS.items()
    }


def _agreement(given: Any, full: Any, card: Card) -> list[bool]:
    """Whether the int8 model puts each row on the level that the full one does."""
    bars = np.array(card.points["default"].ranked)
    levels = [
        np.cumprod(at_least(logits, card.temperature) >= bars, axis=1).sum(1)
        for logits in (given, full)
    ]
    return [bool(same) for same in levels[0] == levels[1]]
