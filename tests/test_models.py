"""What needs torch: training the screening model, hub classifiers, other sentence encoders.

The checkpoints are made here, small, of the real architectures.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run

from sanad_core import Engine
from sanad_screen.model import PACKAGED

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("default"),  # of torch and transformers
]
RISKY = ("i want to die", "i will kill myself", "no reason to live", "i want to end my life")
CALM = ("nice weather today", "i like tea", "the bus was late", "what a lovely dog")


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of four small layers with MiniLM's tokeniser, as sentence-transformers saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    plain = folder / "plain"
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(PACKAGED / "tokenizer.json"), unk_token="[UNK]", pad_token="[PAD]",
        cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=48, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=96, max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config).save_pretrained(plain)
    tokenizer.save_pretrained(plain)
    whole = folder / "sentence"
    transformer = Transformer(str(plain))
    SentenceTransformer(modules=[transformer, Pooling(48)]).save(str(whole))
    return whole


def rows(path: Path, times: int = 30) -> Path:
    lines = []
    for number in range(times):
        for place, text in enumerate((*RISKY, *CALM)):
            risky = place < len(RISKY)
            lines.append(
                {
                    "id": f"{number}-{place}", "text": f"{text} {number}", "conditions": [],
                    "level": "moderate" if risky else "none", "time": "now",
                    **({"kind": "suicide", "subject": "self"} if risky else {}),
                }
            )  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def trained(bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    done = run(
        "train", "screen", str(rows(folder / "mine.jsonl")), "--no-corpus", "--start", str(bert),
        "--out", str(folder / "run"), "--epochs", "12", "--frozen", "1", "--rate", "0.005",
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"int8 agrees on" in done.stdout
    return folder / "run"


async def test_a_model_trained_on_own_rows_runs_in_a_policy(
    trained: Path, write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copytree(trained / "model", tmp_path / "mine")
    step = {"use": "screen", "required": True, "options": {"folder": "mine"}}
    policy = write_policy(detect=[{"use": "lexicon", "required": True}, step])
    async with Engine.from_policy(policy) as engine:
        risky = await engine.screen("no reason to live 99")
        calm = await engine.screen("the bus was late 99")
    scores = [
        s.score
        for assessment in (risky, calm)
        for s in assessment.signals
        if s.kind == "risk" and s.source == "screen"
    ]
    assert not risky.failures
    assert scores[0] > scores[1]


def test_a_run_leaves_its_report_and_can_be_gone_on_from(
    trained: Path, bert: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    report = json.loads((trained / "report.json").read_text())
    assert report["int8_agreement"] >= 0.8
    assert len(report["losses"]) >= 2
    assert (trained / "report.md").read_text().startswith("# Training run")
    assert "<svg" in (trained / "losses.svg").read_text()
    mine = rows(tmp_path / "more.jsonl", 12)
    common = ["train", "screen", str(mine), "--no-corpus", "--start", str(bert), "--epochs", "1"]
    again = [*common, "--frozen", "1", "--go-on", str(trained), "--out", str(tmp_path / "next")]
    done = run(*again, timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    mean = [
        *common,
        "--frozen",
        "1",
        "--go-on",
        str(tmp_path / "next"),
        "--out",
        str(tmp_path / "m"),
    ]
    done = run(*mean, "--average", str(trained), timeout=600)
    assert done.returncode == 0, done.stderr.decode()
    one, two, both = (
        load_file(folder / "branch.safetensors")
        for folder in (trained, tmp_path / "next", tmp_path / "m")
    )
    assert any(not one[name].equal(two[name]) for name in one)
    assert all(both[name].allclose((one[name] + two[name]) / 2, atol=1e-6) for name in both)
    other = [*common, "--frozen", "2", "--go-on", str(trained), "--out", str(tmp_path / "no")]
    refused = run(*other, timeout=600)
    assert refused.returncode == 2
    assert b"is no run to go on from" in refused.stderr


def test_a_model_without_its_run_can_be_gone_on_from(
    trained: Path, bert: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file

    from sanad_screen.model import PACKAGED
    from sanad_screen.training.weights import restored

    full = load_file(trained / "branch.safetensors")
    back = restored(trained / "model" / "screen.onnx")
    assert back.keys() == full.keys()
    for name, weight in full.items():
        # 255 steps over twice the largest weight: one of them, where large channels share them.
        most = float(weight.abs().max()) / 125 if weight.dim() > 1 and "upper" in name else 0.0
        assert (back[name] - weight).abs().max() <= most, name
    packaged = restored(PACKAGED / "screen.onnx")
    assert {"heads.level.weight", "upper.layers.2.output.dense.weight"} <= packaged.keys()
    mine = rows(tmp_path / "more.jsonl", 12)
    common = ["train", "screen", str(mine), "--no-corpus", "--start", str(bert), "--epochs", "1"]
    common += ["--frozen", "1"]
    done = run(
        *common,
        "--go-on",
        str(trained / "model"),
        "--out",
        str(tmp_path / "next"),
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()
    refused = run(*common, "--go-on", "packaged", "--out", str(tmp_path / "no"), timeout=600)
    assert refused.returncode == 2
    assert b"'packaged' is no run to go on from" in refused.stderr
    for wrong in (b"not a model", (trained / "model" / "embed.onnx").read_bytes()):
        (tmp_path / "screen.onnx").write_bytes(wrong)
        refused = run(*common, "--go-on", str(tmp_path), "--out", str(tmp_path / "no"), timeout=600)
        assert refused.returncode == 2
        assert b"is no run to go on from" in refused.stderr


def test_an_encoder_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    mine = rows(tmp_path / "mine.jsonl")
    command = ["train", "screen", str(mine), "--no-corpus", "--out", str(tmp_path / "out")]
    done = run(*command, "--start", str(tmp_path / "gone"), timeout=300)
    assert done.returncode == 2
    assert b"cannot be loaded" in done.stderr
    assert len(done.stderr.decode().strip().splitlines()) == 1
    mine.write_text('{"id": "1"}\n')
    assert b"mine.jsonl:1:1: the key 'text' is missing" in run(*command, timeout=300).stderr


def _checkpoint(kind: str, folder: Path) -> None:
    """A classifier of a real architecture, trained for a moment to tell risky from calm."""
    import torch
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        DistilBertConfig,
        DistilBertForSequenceClassification,
        PreTrainedTokenizerFast,
        RobertaConfig,
        RobertaForSequenceClassification,
    )

    torch.manual_seed(0)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(PACKAGED / "tokenizer.json"), unk_token="[UNK]", pad_token="[PAD]",
        cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip
    names: dict[str, Any] = {
        "id2label": {0: "Control", 1: "Suicidal"}, "label2id": {"Control": 0, "Suicidal": 1},
    }  # fmt: skip
    size = {"vocab_size": len(tokenizer), "pad_token_id": 0}
    wide = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 64}  # fmt: skip
    made: dict[str, Callable[[], Any]] = {
        "bert": lambda: BertForSequenceClassification(BertConfig(**size, **wide, **names)),
        "roberta": lambda: RobertaForSequenceClassification(
            RobertaConfig(**size, **wide, **names, max_position_embeddings=130)
        ),
        "distilbert": lambda: DistilBertForSequenceClassification(
            DistilBertConfig(**size, dim=32, n_layers=2, n_heads=2, hidden_dim=64, **names)
        ),
    }
    model = made[kind]().train()
    given = tokenizer([*CALM, *RISKY], padding=True, return_tensors="pt")
    given.pop("token_type_ids", None)
    truth = torch.tensor([0] * len(CALM) + [1] * len(RISKY))
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        model(**given, labels=truth).loss.backward()
        optimiser.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def with_classifier(write_policy: Callable[..., Path], model: str, **first: Any) -> Path:
    meanings = [
        {"label": "Suicidal", "kind": "risk", "to": "suicide", "level": "moderate"} | first,
        {"label": "Control", "kind": "risk", "to": "none"},
    ]
    options = {"model": model, "labels": meanings}
    step = {"use": "classifier", "options": options}
    return write_policy(detect=[{"use": "lexicon", "required": True}, step])


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
async def test_a_checkpoint_of_the_hubs_architectures_screens(
    write_policy: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    _checkpoint(kind, tmp_path / kind)
    async with Engine.from_policy(with_classifier(write_policy, kind)) as engine:
        risky = await engine.screen("i want to die")
        calm = await engine.screen("i like tea")
        long = await engine.screen("i like tea " * 2000)
    assert [s.level for s in risky.signals if s.source == "classifier"] == ["moderate"]
    assert [s.level for s in calm.signals if s.source == "classifier"] == ["none"]
    assert not long.failures


def test_what_is_wrong_with_a_classifier_is_one_line(
    write_policy: Callable[..., Path], tmp_path: Path
) -> None:
    _checkpoint("bert", tmp_path / "bert")
    wrong = run("check", str(with_classifier(write_policy, "bert", label="Suicide")))
    assert wrong.returncode == 1
    assert b"the model has no label 'Suicide'; did you mean 'Suicidal'?" in wrong.stdout
    level = run("check", str(with_classifier(write_policy, "bert", level=None)))
    assert b"a risk needs a 'level'" in level.stdout
    env = {"HF_HUB_OFFLINE": "1"}
    gone = run("check", str(with_classifier(write_policy, "mental/mental-bert")), env=env)
    assert gone.returncode == 1
    assert b"mental/mental-bert: there is no such folder, and the hub" in gone.stdout


async def test_intents_over_any_sentence_encoder(
    write_policy: Callable[..., Path], bert: Path, tmp_path: Path
) -> None:
    from test_intents import OWN

    path = tmp_path / "own.yml"
    path.write_text(OWN)
    done = run("train", "nlu", str(path), "--encoder", str(bert), timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    step = {"use": "intents", "options": {"examples": "own.yml"}}
    policy = write_policy(detect=[{"use": "lexicon", "required": True}, step])
    async with Engine.from_policy(policy) as engine:
        assessment = await engine.screen("cancel my booking")
    assert [s.label for s in assessment.signals if s.source == "intents"] == ["cancel"]
