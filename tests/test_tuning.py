"""Fine-tuning: every architecture learns, is saved, and answers again; a killed run goes on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from conftest import SANAD, run
from test_local_models import TEMPLATE, config, tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sanad_core import Engine

    Make = Callable[..., Engine]

pytestmark = pytest.mark.models

CANARY = "zebrafinch-4711"


def talks(path: Path, count: int = 40) -> Path:
    rows = [
        {
            "id": f"t{number}",
            "source": "test",
            "turns": [
                {"role": "person", "text": f"day {number} was long and {CANARY}"},
                {"role": "supporter", "text": "That sounds tiring. What helped?"},
                {"role": "person", "text": "tea"},
                {"role": "supporter", "text": "Tea is a good friend. Who was there?"},
            ],
        }
        for number in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def small(folder: Path, architecture: str, template: str | None) -> Path:
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    AutoModelForCausalLM.from_config(config(architecture)).save_pretrained(folder)
    tokenizer(folder, template)
    return folder


def tune(model: Path, data: Path, out: Path, *more: str) -> Any:
    options = ["--model_name", str(model), "--dataset_path", str(data), "--output_dir", str(out)]
    fast = ["--max_steps", "4", "--save_steps", "2", "--batch_size", "2", "--accumulate", "1"]
    return run("train", "responder", *options, *fast, *more, timeout=300)


@pytest.mark.parametrize(
    ("architecture", "template", "method"),
    [("gpt2", None, "lora"), ("llama", TEMPLATE, "lora"), ("mistral", TEMPLATE, "full")],
)
async def test_every_architecture_learns_is_saved_and_answers(
    make_engine: Make, tmp_path: Path, architecture: str, template: str | None, method: str
) -> None:
    model = small(tmp_path / "base", architecture, template)
    done = tune(model, talks(tmp_path / "t.jsonl"), tmp_path / "run", "--method", method)
    assert done.returncode == 0, done.stderr[-2000:]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["after"] < metrics["before"]
    for name in ("run.json", "README.md", "loss.svg", "model/config.json"):
        assert (tmp_path / "run" / name).is_file()
    assert CANARY not in (done.stdout + done.stderr).decode()
    step = {
        "use": "transformers",
        "timeout": "15s",
        "options": {"model": str(tmp_path / "run" / "model"), "max_tokens": 12, "temperature": 0},
    }
    respond = {"deadline": "20s", "chain": [step, {"use": "rules"}]}
    async with make_engine(respond=respond) as engine:
        exchange = await engine.respond("a long day", conversation_id="c")
    assert "transformers" in [name for name, _ in exchange.timings.steps]


def test_an_adapter_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    model = small(tmp_path / "base", "llama", TEMPLATE)
    done = tune(model, talks(tmp_path / "t.jsonl"), tmp_path / "run", "--adapter")
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").is_file()
    assert not (tmp_path / "run" / "model").exists()


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    model, data = small(tmp_path / "base", "llama", TEMPLATE), talks(tmp_path / "t.jsonl")
    out = tmp_path / "run"
    long = ["--max_steps", "400", "--save_steps", "5", "--batch_size", "2", "--accumulate", "1"]
    command = [
        SANAD, "train", "responder", "--model_name", str(model), "--dataset_path", str(data),
        "--output_dir", str(out), *long,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 120
    while not list(out.glob("checkpoints/checkpoint-*/trainer_state.json")):
        assert time.monotonic() < ends
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "model").exists()
    reached = max(int(p.name.rpartition("-")[2]) for p in out.glob("checkpoints/checkpoint-*"))
    done = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["steps"] > reached
    first = min(row["step"] for row in metrics["history"] if "loss" in row)
    assert (out / "model" / "config.json").is_file()
    assert first <= reached
    other = run(
        *command[1:-1], "3", timeout=120
    )  # the same folder with other options is another run
    assert other.returncode == 2
    assert b"other options or data" in other.stderr


def test_a_folder_is_usable_after_a_first_call_with_a_typo(tmp_path: Path) -> None:
    model, data = small(tmp_path / "base", "llama", TEMPLATE), talks(tmp_path / "t.jsonl")
    for wrong in ((tmp_path / "bsae", data), (model, tmp_path / "tt.jsonl")):
        assert tune(*wrong, tmp_path / "run").returncode == 1
    done = tune(model, data, tmp_path / "run")
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("recipe", ["sft", "dpo"])
def test_late_turns_of_long_talks_are_learned_and_what_is_too_long_is_counted(
    tmp_path: Path, recipe: str
) -> None:
    model = small(tmp_path / "base", "llama", TEMPLATE)
    turns = [
        {"role": role, "text": f"{role} {number}"}
        for number in range(10)
        for role in ("person", "supporter")
    ]
    long = [turns, [{"role": "person", "text": "so long " * 40}, turns[1]]]
    rows: list[dict[str, Any]] = [
        {"id": f"t{number}", "source": "test", "turns": long[number % 2]} for number in range(8)
    ]
    if recipe == "dpo":
        shapes = [{"context": told[:-1], "chosen": "yes", "rejected": "no"} for told in long]
        rows = [shapes[number % 2] | {"reviewed_by": str(number)} for number in range(8)]
    data = tmp_path / "t.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    more = ("--recipe", recipe, "--max_length", "128", "--eval_path", str(data))
    done = tune(model, data, tmp_path / "run", *more)
    assert done.returncode == 0, done.stderr[-2000:]
    examples = json.loads((tmp_path / "run" / "metrics.json").read_text())["examples"]
    each = 4 if recipe == "dpo" else 4 * 10
    assert examples["held_out"]["used"] == each
    assert examples["held_out"]["left_out"] == 4
    assert 0 < examples["held_out"]["shortened"] <= each
    said = f"held out: {each} examples"
    assert said in done.stdout.decode()
    assert said in (tmp_path / "run" / "README.md").read_text()
    fewer = tune(model, data, tmp_path / "other", *more[:2], "--max_length", "32")
    assert fewer.returncode == 1
    assert b"that fits --max_length 32; give a higher one" in fewer.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", 1, "holds no conversation"),
        ('{"id": "1"}\n', 1, "turns"),
        (f'{{"id": "1", "source": "x", "turns": [{{"role": "person", "text": "{CANARY}"}}]}}\n', 1,
         "no supporter's turn"),
    ],
)  # fmt: skip
def test_wrong_data_is_one_clear_line(tmp_path: Path, text: str, code: int, said: str) -> None:
    model = small(tmp_path / "base", "llama", TEMPLATE)
    (tmp_path / "t.jsonl").write_text(text)
    done = tune(model, tmp_path / "t.jsonl", tmp_path / "run")
    assert done.returncode == code
    assert said in done.stderr.decode()
    assert CANARY not in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_preferences_are_learned_from_reviewed_pairs(tmp_path: Path) -> None:
    model = small(tmp_path / "base", "llama", TEMPLATE)
    rows = [
        {
            "context": [{"role": "person", "text": f"day {number} was long"}],
            "chosen": "That sounds tiring. What helped?",
            "rejected": "Get over it.",
            "reviewed_by": "A. Clinician",
        }
        for number in range(24)
    ]
    data = tmp_path / "pairs.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = tune(model, data, tmp_path / "run", "--recipe", "dpo")
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "run" / "model" / "config.json").is_file()


def test_an_evaluation_puts_figures_side_by_side_and_notices_what_got_worse(tmp_path: Path) -> None:
    model = small(tmp_path / "base", "gpt2", None)
    held = talks(tmp_path / "t.jsonl", 2)
    options = ["--model", f"tiny={model}", "--policy", "minimal", "--max_tokens", "8"]
    done = run("eval", "responder", str(held), *options, "--out", str(tmp_path / "r"), timeout=200)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    tiny, whole = report["figures"]["tiny"], report["figures"]["minimal"]
    assert tiny["perplexity"] > 1
    assert whole["dimensions"]["guides_to_care"] > tiny["dimensions"]["guides_to_care"]
    assert "<svg" in (tmp_path / "r" / "report.html").read_text()
    report["figures"]["minimal"]["dimensions"]["supports"] = 1.0
    (tmp_path / "before.json").write_text(json.dumps(report))
    compared = ["--policy", "minimal", "--baseline", str(tmp_path / "before.json")]
    worse = run("eval", "responder", *compared, "--out", str(tmp_path / "r2"), timeout=200)
    assert worse.returncode == 1
    assert b"worse: minimal: supports 1.00" in worse.stderr
    wrong = run("eval", "responder", "--policy", "minimal", "--baseline", str(held), "--out", "x")
    assert wrong.returncode == 1
    assert b"is no report.json" in wrong.stderr
