"""The whole road on real data: from a table of questions to a tuned model in service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from conftest import CRISIS, DATA, ROOT, run
from vllm_server import engine_of, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_model.serve import Server

pytestmark = pytest.mark.models

TABLE = DATA / "counsel_chat" / "20200325_counsel_chat.csv"
STEPS = 24  # enough for a loss that falls, on a CPU in a few minutes


def sanad(*arguments: str, timeout: float = 900) -> str:
    """What a command says; it must succeed."""
    done = run(*arguments, timeout=timeout)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the road leads through."""
    if not TABLE.is_file():
        pytest.skip("the public data are not here")
    return tmp_path_factory.mktemp("road")


@pytest.fixture(scope="module")
def clean(folder: Path) -> Path:
    """Conversations that were imported and cleaned."""
    talks, out = folder / "talks.jsonl", folder / "clean.jsonl"
    said = sanad("data", "import", str(TABLE), "--licence", "MIT", "--out", str(talks))
    assert "2,129 records in: 2,129 taken, 0 rejected" in said
    sanad("data", "clean", str(talks), "--out", str(out))
    return out


@pytest.fixture(scope="module")
def splits(folder: Path, clean: Path) -> Path:
    """The same, in parts that share no person."""
    sanad("data", "split", str(clean), "--out", str(folder / "splits"))
    return folder / "splits"


@pytest.fixture(scope="module")
def held(folder: Path, splits: Path) -> Path:
    """Some of the held-out ones: each evaluation on a CPU takes a while."""
    few = (splits / "dev.jsonl").read_text("utf-8").splitlines(keepends=True)[:24]
    path = folder / "held.jsonl"
    path.write_text("".join(few), "utf-8")
    return path


@pytest.fixture(scope="module")
def tuned(folder: Path, splits: Path, held: Path, smollm2: Path) -> Path:
    """The run of a few steps."""
    out = folder / "run"
    sanad(
        *("train", "responder", "--model_name", str(smollm2), "--output_dir", str(out)),
        *("--dataset_path", str(splits / "train.jsonl"), "--eval_path", str(held)),
        *("--max_steps", str(STEPS), "--accumulate", "1", "--max_length", "256"),
        timeout=1800,
    )
    return out


def test_what_is_cleaned_accounts_for_every_conversation(clean: Path) -> None:
    report = json.loads(clean.with_name("clean.jsonl.report.json").read_text())
    assert report["talks"] == 2129
    assert report["kept"] + sum(report["removed"].values()) == 2129
    kept = [json.loads(line) for line in clean.read_text("utf-8").splitlines()]
    assert len(kept) == report["kept"] > 1000
    assert sum(bool(talk["crisis"]) for talk in kept) == report["crisis"] > 10
    assert report["pseudonyms"]["PERSON"] > 100


def test_the_splits_meet_the_requirements(splits: Path, folder: Path) -> None:
    files = [str(splits / f"{name}.jsonl") for name in ("train", "dev", "test")]
    sanad("data", "check", *files, "--out", str(folder / "card"))
    assert "license: mit" in (folder / "card" / "card.md").read_text()
    assert "<svg" in (folder / "card" / "report.html").read_text()


def test_the_tuned_model_knows_held_out_conversations_better(
    tuned: Path, splits: Path, folder: Path, smollm2: Path
) -> None:
    metrics = json.loads((tuned / "metrics.json").read_text())
    assert metrics["after"] < metrics["before"]
    bank = yaml.safe_load((ROOT / "plugins" / "sanad_tuning" / "scenarios.yml").read_text())
    few = folder / "bank.yml"
    few.write_text(
        yaml.safe_dump(bank | {"risk": bank["risk"][:1], "boundary": bank["boundary"][:1]})
    )
    sanad(
        *("eval", "responder", str(splits / "test.jsonl"), "--most", "8", "--max_tokens", "24"),
        *("--model", f"base={smollm2}", "--model", f"tuned={tuned / 'model'}"),
        *("--policy", "default", "--bank", str(few), "--out", str(folder / "eval")),
    )
    figures = json.loads((folder / "eval" / "report.json").read_text())["figures"]
    assert figures["tuned"]["perplexity"] < figures["base"]["perplexity"]


@pytest.fixture(scope="module")
def server(tuned: Path, smollm2: Path) -> Iterator[Server]:
    """vLLM with the adapter on the base model, up and answering."""
    with serving(smollm2, adapters=(("tuned", str(tuned / "adapter")),)) as found:
        yield found


async def test_the_tuned_model_is_in_service_behind_a_policy(
    server: Server, tmp_path: Path
) -> None:
    async with engine_of(server.url, tmp_path, model="tuned") as engine:
        calm = [
            await engine.respond(text, conversation_id="calm")
            for text in ("hello", "my flatmate and i argue about the dishes", "i miss my old job")
        ]
        crisis = await engine.respond(CRISIS[0], conversation_id="crisis")
    assert any(exchange.reply.responder == "vllm" for exchange in calm)
    assert all(exchange.reply.text for exchange in calm)
    assert crisis.reply.responder == "scripted"
