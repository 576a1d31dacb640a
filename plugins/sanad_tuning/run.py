"""One fine-tuning run: data, model, trainer, checkpoints, and what is written at the end."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError, UsageError
from sanad_data.talks import written
from sanad_tuning.examples import TEMPLATE, digest_of
from sanad_tuning.fitting import counter
from sanad_tuning.report import write_report
from sanad_tuning.sides import read_sides

if TYPE_CHECKING:
    from sanad_tuning.sides import Sides

__all__ = ["Run", "tune"]

SETTINGS, METRICS = "run.json", "metrics.json"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is asked; the options of `sanad train responder` say what each means."""

    model_name: str
    dataset_path: Path
    output_dir: Path
    eval_path: Path | None = None
    recipe: str = "sft"
    method: str = "lora"
    epochs: float = 3.0
    max_steps: int = -1
    learning_rate: float | None = None
    batch_size: int = 4
    accumulate: int = 4
    max_length: int = 1024
    rank: int = 16
    save_steps: int = 100
    save_limit: int = 2
    patience: int = 3
    system: str = ""
    merge: bool = True
    seed: int = 13

    @property
    def rate(self) -> float:
        """The learning rate."""
        default = 5e-6 if self.recipe == "dpo" else 2e-5 if self.method == "full" else 2e-4
        return self.learning_rate if self.learning_rate is not None else default


def tune(run: Run) -> str:
    """Fine-tune, or go on with a run that was cut off.

    Returns:
        A few lines on what it reached.

    Raises:
        ContentError: the data or the model cannot be used.
        UsageError: the folder holds another run, or the options do not go together.
    """
    began = time.monotonic()
    sides = read_sides(run)
    settings = _settings(run)
    going_on = _begun(run.output_dir, settings)
    model, tokenizer = _loaded(run)
    sides, fits = sides.fitted(run.max_length, counter(tokenizer))
    if not going_on:  # what could not be read or loaded leaves no run behind
        _write(run.output_dir / SETTINGS, settings)
    trainer = _trainer(run, model, tokenizer, sides)
    found = _learned(run, trainer, going_on)
    place = _saved(run, trainer, tokenizer)
    found["minutes"] = round((time.monotonic() - began) / 60, 2)
    found["examples"] = {name: dataclasses.asdict(fit) for name, fit in fits.items()}
    _write(run.output_dir / METRICS, found)
    counts = [f"{name.replace('_', ' ')}: {fit.shown()}" for name, fit in fits.items()]
    write_report(run.output_dir, settings, found, counts)
    return _summary(found, counts, place)


def _learned(run: Run, trainer: Any, going_on: bool) -> dict[str, Any]:
    """Train, and give the figures."""
    last = _last_checkpoint(run.output_dir / CHECKPOINTS) if going_on else None
    before = trainer.evaluate()
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    after = trainer.evaluate()
    return {
        "before": before["eval_loss"],
        "after": after["eval_loss"],
        "steps": trainer.state.global_step,
        "history": trainer.state.log_history,
    }


def _summary(found: dict[str, Any], counts: list[str], place: Path) -> str:
    losses = (
        f"held-out loss {found['before']:.3f} before, {found['after']:.3f} after "
        f"{found['steps']} steps ({found['minutes']:.1f} minutes)"
    )
    after = (
        f"model: {place}; serve it with 'sanad model serve', or name it in a 'transformers' step"
    )
    return "\n".join((*counts, losses, after))


def _settings(run: Run) -> dict[str, Any]:
    from importlib.metadata import version

    asked = {key: str(value) for key, value in dataclasses.asdict(run).items()}
    data = {"data_sha256": digest_of(run.dataset_path)}
    if run.eval_path is not None:
        data["eval_sha256"] = digest_of(run.eval_path)
    versions = {name: version(name) for name in ("torch", "transformers", "trl", "peft")}
    return {**asked, "learning_rate": str(run.rate), **data, "versions": versions}


def _begun(folder: Path, settings: dict[str, Any]) -> bool:
    """Whether the folder holds this run, begun before.

    Raises:
        UsageError: it holds another one.
    """
    path = folder / SETTINGS
    if not path.is_file():
        return False
    if json.loads(path.read_text(encoding="utf-8")) != settings:
        raise UsageError(f"'{folder}' holds a run with other options or data; name another folder")
    return True


def _write(path: Path, data: dict[str, Any]) -> None:
    with written(path) as file:
        file.write(json.dumps(data, indent=1) + "\n")


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest whole checkpoint; one that was cut off has no state of the trainer."""
    found = [p for p in folder.glob("checkpoint-*") if (p / "trainer_state.json").is_file()]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _loaded(run: Run) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    # Its libraries' deprecations are no business of whoever trains a model.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    options: dict[str, Any] = {}
    if run.method == "qlora":
        if not torch.cuda.is_available():
            raise UsageError("--method qlora needs a GPU; use 'lora' on a CPU")
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(run.model_name)
        model = AutoModelForCausalLM.from_pretrained(run.model_name, dtype="auto", **options)
    except (OSError, ValueError, KeyError) as err:
        message = (
            f"cannot be loaded as a causal model ({type(err).__name__}); name a folder that "
            "save_pretrained wrote, or a hub id that this machine can reach"
        )
        raise ContentError.about(run.model_name, message) from None
    if not getattr(tokenizer, "chat_template", None):
        tokenizer.chat_template = TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def _trainer(run: Run, model: Any, tokenizer: Any, sides: Sides) -> Any:
    import trl
    from datasets import Dataset, disable_progress_bars
    from transformers import EarlyStoppingCallback, PrinterCallback
    from transformers.trainer_utils import set_seed

    disable_progress_bars()
    set_seed(run.seed)
    given = {
        "model": model,
        "args": _arguments(run, len(sides.learn)),
        "train_dataset": Dataset.from_list(sides.learn),
        "eval_dataset": Dataset.from_list(sides.held),
        "processing_class": tokenizer,
        "peft_config": _lora(run),
        "callbacks": [EarlyStoppingCallback(early_stopping_patience=run.patience)],
    }
    trainer = trl.DPOTrainer(**given) if run.recipe == "dpo" else trl.SFTTrainer(**given)
    trainer.remove_callback(PrinterCallback)  # the history is in the metrics
    return trainer


def _arguments(run: Run, count: int) -> Any:
    import trl

    shared = {
        "output_dir": str(run.output_dir / CHECKPOINTS),
        "max_length": run.max_length,
        "seed": run.seed,
        "report_to": "none",
        "disable_tqdm": not sys.stderr.isatty(),
        **_schedule(run, count),
        **_batches(run),
    }
    if run.recipe == "dpo":
        return trl.DPOConfig(**shared)
    return trl.SFTConfig(**shared, completion_only_loss=True)


def _schedule(run: Run, count: int) -> dict[str, Any]:
    """How long is learned and how fast, and how often it is measured and kept.

    Args:
        run: what is asked.
        count: examples to learn from.
    """
    epoch = max(1, count // (run.batch_size * run.accumulate))
    steps = run.max_steps if run.max_steps > 0 else epoch
    every = min(run.save_steps, steps)
    return {
        "num_train_epochs": run.epochs,
        "max_steps": run.max_steps,
        "learning_rate": run.rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": max(1, steps // 20),
        "logging_steps": max(1, every // 10),
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_steps": every,
        "save_total_limit": run.save_limit,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
    }


def _batches(run: Run) -> dict[str, Any]:
    """What is computed at once, and on what."""
    import torch

    there = torch.cuda.is_available()
    return {
        "per_device_train_batch_size": run.batch_size,
        "per_device_eval_batch_size": run.batch_size,
        "gradient_accumulation_steps": run.accumulate,
        "bf16": True,
        "use_cpu": not there,
        "gradient_checkpointing": there,
    }


def _lora(run: Run) -> Any:
    if run.method == "full":
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=run.rank,
        lora_alpha=2 * run.rank,
        lora_dropout=0.05,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _saved(run: Run, trainer: Any, tokenizer: Any) -> Path:
    """Write the adapter, where there is one, and the model whole where that is asked for."""
    model, place = trainer.model, run.output_dir / "adapter"
    if run.method != "full":
        _written(place, model, tokenizer)
    if run.method == "full" or run.merge:
        place = run.output_dir / "model"
        _written(place, model if run.method == "full" else model.merge_and_unload(), tokenizer)
    return place


def _written(place: Path, model: Any, tokenizer: Any) -> None:
    """Write a model; its folder gets its name when it is complete."""
    part = place.with_name(f"{place.name}.part")
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    shutil.rmtree(place, ignore_errors=True)
    part.replace(place)
