"""The in-process responder on real checkpoints of several architectures, and fetching one."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import CRISIS, run

from sanad_core.types import Cause, FailureCause

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core import Engine

    Make = Callable[..., Engine]

pytestmark = pytest.mark.models

TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no') }}{% endif %}" + TEMPLATE
)


def tokenizer(folder: Path, template: str | None) -> None:
    """A byte-level tokenizer with no words of its own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {char: place for place, char in enumerate(alphabet)} | {"<end>": len(alphabet)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>")
    fast.chat_template = template
    fast.save_pretrained(folder)


def config(architecture: str) -> Any:
    """A configuration small enough to make here."""
    from transformers import AutoConfig

    small: dict[str, Any] = {
        "vocab_size": 257, "bos_token_id": 256, "eos_token_id": 256, "pad_token_id": 256,
    }  # fmt: skip
    if architecture == "gpt2":
        return AutoConfig.for_model(
            "gpt2", n_embd=32, n_layer=2, n_head=2, n_positions=2048, **small
        )
    return AutoConfig.for_model(
        architecture, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, max_position_embeddings=4096, **small,
    )  # fmt: skip


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a checkpoint of an architecture: real code, weights that were never trained."""
    import torch
    from transformers import AutoModelForCausalLM

    def make(architecture: str, template: str | None = None) -> Path:
        torch.manual_seed(1)
        folder = tmp_path_factory.mktemp(architecture)
        AutoModelForCausalLM.from_config(config(architecture)).save_pretrained(folder)
        tokenizer(folder, template)
        return folder

    return make


def local(folder: Path, deadline: str = "20s", **options: Any) -> dict[str, Any]:
    step = {
        "use": "transformers",
        "timeout": "15s",
        "options": {"model": str(folder), "max_tokens": 24, "temperature": 0, **options},
    }
    return {"respond": {"deadline": deadline, "chain": [step, {"use": "rules"}]}}


@pytest.mark.parametrize(
    ("architecture", "template"),
    [("gpt2", None), ("llama", TEMPLATE), ("mistral", NO_SYSTEM), ("llama", None)],
)
@pytest.mark.parametrize("dtype", ["auto", "bfloat16", "int8"])
async def test_every_architecture_writes(
    make_engine: Make,
    checkpoint: Callable[..., Path],
    architecture: str,
    template: str | None,
    dtype: str,
) -> None:
    if dtype == "int8":
        pytest.importorskip("torchao", reason="the extra int8 is not installed")
    folder = checkpoint(architecture, template)
    async with make_engine(**local(folder, dtype=dtype)) as engine:
        exchange = await engine.respond("a long week at work", conversation_id="c")
        events = [e async for e in engine.stream("and a long one", conversation_id="d")]
    steps = [name for name, _ in exchange.timings.steps]
    assert "transformers" in steps
    # An untrained model writes nonsense; it was written, checked, and something was said.
    causes = {failure.cause for failure in exchange.failures}
    assert causes <= {FailureCause.BLOCKED, FailureCause.EMPTY, FailureCause.UNAVAILABLE}
    assert exchange.reply.text.strip()
    assert "".join(e.text for e in events) == events[-1].exchange.reply.text


@pytest.mark.parametrize("text", CRISIS[:2])
async def test_nothing_is_written_for_a_person_at_risk(
    make_engine: Make, checkpoint: Callable[..., Path], text: str
) -> None:
    async with make_engine(**local(checkpoint("gpt2"))) as engine:
        exchange = await engine.respond(text, conversation_id="c")
    assert exchange.decision.cause is Cause.CRISIS
    assert "transformers" not in [name for name, _ in exchange.timings.steps]


async def test_a_model_that_writes_for_ever_is_cut_and_stops(
    make_engine: Make, checkpoint: Callable[..., Path]
) -> None:
    changes = local(checkpoint("llama", TEMPLATE), max_tokens=4000)
    changes["respond"]["chain"][0]["timeout"] = "500ms"
    async with make_engine(**changes) as engine:
        began = time.monotonic()
        exchange = await engine.respond("a long week at work", conversation_id="c")
        assert time.monotonic() - began < 3
        ends = time.monotonic() + 5
        while any(t.name == "sanad-checkpoint" for t in threading.enumerate()):
            assert time.monotonic() < ends, "the model still writes"
            await asyncio.sleep(0.05)
    assert exchange.failures[0].cause is FailureCause.TIMEOUT
    assert exchange.reply.responder == "rules"


async def test_a_missing_checkpoint_is_named(
    make_engine: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "empty").mkdir()
    async with make_engine(**local(tmp_path / "empty")) as engine:
        exchange = await engine.respond("hello", conversation_id="c")
    assert exchange.reply.responder == "rules"
    assert "cannot be loaded as a causal checkpoint" in caplog.text


def test_a_fetched_model_is_a_checkpoint_with_its_origin(smollm2: Path) -> None:
    card = json.loads((smollm2 / "sanad-model.json").read_text())
    assert card["licence"] == "Apache-2.0"
    assert (smollm2 / "model.safetensors").stat().st_size > 400_000_000
    listed = run("model", "list", "--dir", str(smollm2.parent))
    assert b"SmolLM2-135M-Instruct" in listed.stdout
    again = run("model", "fetch", "smollm2", "--out", str(smollm2))
    assert again.returncode == 2
    assert b"is there already" in again.stderr
    assert run("model", "fetch", "smollm3").returncode == 2


async def test_a_real_small_model_answers_in_words(make_engine: Make, smollm2: Path) -> None:
    changes = local(smollm2, deadline="60s", max_tokens=40)
    changes["respond"]["chain"][0]["timeout"] = "50s"
    async with make_engine(**changes) as engine:
        exchange = await engine.respond("I had a long day at work", conversation_id="c")
    assert exchange.failures == () or exchange.failures[0].cause is FailureCause.BLOCKED
    if exchange.reply.responder == "transformers":
        assert len(exchange.reply.text.split()) > 5
