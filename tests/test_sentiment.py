"""Sentiment: by words offline, by a model where the extra is installed."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core import Context, Conversation, Engine, Signal, Turn
from sanad_core.testing import NOW
from sanad_core.types import Speaker
from sanad_sentiment.words import WordSentiment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = WordSentiment()


def sentiment(text: str) -> list[Signal]:
    turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id="1")
    return WORDS.detect(turn, Context(turn=turn, conversation=Conversation(id="c")))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I feel awful and scared", "negative"), ("this was a wonderful day", "positive"),
        ("the shop is at the corner", "neutral"), ("I am not happy", "negative"),
        ("not bad at all!", "positive"), ("😭😭", "negative"),
    ],
)  # fmt: skip
def test_words_tell_how_a_message_sounds(text: str, label: str) -> None:
    assert [(s.kind, s.label) for s in sentiment(text)] == [("sentiment", label)]


def test_what_is_not_english_gets_no_label() -> None:
    assert sentiment("أنا حزين جدا اليوم") == []


@given(st.text(max_size=500))
@settings(max_examples=200, deadline=None)
def test_any_message_gets_at_most_one_label_with_a_score(text: str) -> None:
    found = sentiment(text)
    assert len(found) <= 1
    assert all(0 <= signal.score <= 1 for signal in found)


async def test_the_default_policy_reports_it(make_engine: Callable[..., Engine]) -> None:
    async with Engine.from_policy("policies/default.yml") as engine:
        assessment = await engine.screen("I had a lovely walk")
    assert ("sentiment", "positive") in [(s.kind, s.label) for s in assessment.signals]


def _with_model(write_policy: Callable[..., Path], model: str) -> Path:
    return write_policy(
        detect=[
            {"use": "lexicon", "required": True},
            {"use": "sentiment", "options": {"backend": "distilbert", "model": model}},
        ]
    )


async def test_a_model_without_its_extra_says_what_to_install(
    write_policy: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name in ("torch", "transformers") else known(name, *rest),
    )
    async with Engine.from_policy(_with_model(write_policy, "anything")) as engine:
        exchange = await engine.respond("hello", conversation_id="c")
    assert [f.step for f in exchange.assessment.failures] == ["sentiment"]
    assert exchange.reply.text
    assert "pip install 'sanad-core[models]'" in caplog.text


GOOD = ["i love this", "what a lovely day", "i am happy and calm", "great and wonderful", "so glad"]
BAD = ["i hate this", "what an awful day", "i am sad and scared", "terrible and ugly", "so angry"]


def _train(folder: Path) -> None:
    """A real DistilBERT, small, trained here for a moment."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import DistilBertConfig, PreTrainedTokenizerFast
    from transformers import DistilBertForSequenceClassification as Classifier

    words = sorted({word for text in GOOD + BAD for word in text.split()})
    names = {name: place for place, name in enumerate(["[PAD]", "[UNK]", *words])}
    plain = Tokenizer(models.WordLevel(names, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=plain, pad_token="[PAD]", unk_token="[UNK]"
    )
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(names), dim=32, hidden_dim=64, n_layers=2, n_heads=2,
        id2label={0: "NEGATIVE", 1: "POSITIVE"}, label2id={"NEGATIVE": 0, "POSITIVE": 1},
    )  # fmt: skip
    model = Classifier(config).train()
    rows = tokenizer(BAD + GOOD, padding=True, return_tensors="pt")
    rows.pop("token_type_ids", None)
    labels = torch.tensor([0] * len(BAD) + [1] * len(GOOD))
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        model(**rows, labels=labels).loss.backward()
        optimiser.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


@pytest.mark.models
@pytest.mark.filterwarnings("default")  # of torch and transformers
async def test_a_distilbert_checkpoint_is_read(
    write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    _train(folder)
    assert json.loads((folder / "config.json").read_text())["model_type"] == "distilbert"
    async with Engine.from_policy(_with_model(write_policy, str(folder))) as engine:
        good = await engine.screen("what a lovely day")
        bad = await engine.screen("i am sad and scared")
        long = await engine.screen("so angry " * 3000)
    found = [
        [s.label for s in assessment.signals if s.kind == "sentiment"]
        for assessment in (good, bad, long)
    ]
    assert found == [["positive"], ["negative"], ["negative"]]
    assert not good.failures
