"""Intents by example: reading, learning, staleness, what is in scope and what is not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import run

from sanad_core import Engine
from sanad_core.errors import ContentError
from sanad_intents.classifier import fit, load, model_path, save
from sanad_intents.examples import PACKAGED, read_examples

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = """\
nlu: 1
locale: en
reviewed_by: []
source: a test
intents:
  - intent: book
    examples: [I want to book a table, reserve a table for two, can I book tonight, table please]
  - intent: cancel
    examples: [cancel my booking, I need to cancel, please cancel the table, call it off]
  - intent: hours
    examples: [when do you open, what are your hours, are you open on sunday, closing time]
"""
RASA = """\
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hey
    - hello there
    - good morning [Anna](name)
- intent: order
  examples: |
    - I want a [pizza]{"entity": "dish", "role": "main"}
    - order some [soup](dish) please
- synonym: pizza
  examples: |
    - margherita
- regex: number
  examples: |
    - [0-9]+
"""


@pytest.fixture
def learned(tmp_path: Path) -> Path:
    path = tmp_path / "own.yml"
    path.write_text(OWN)
    done = run("train", "nlu", str(path))
    assert done.returncode == 0, done.stderr
    assert b"12 examples of 3 intents learned in" in done.stdout
    return path


async def labels(policy: Path, *texts: str) -> list[list[str]]:
    async with Engine.from_policy(policy) as engine:
        found = [await engine.screen(text) for text in texts]
    return [[s.label for s in a.signals if s.source == "intents"] for a in found]


def with_intents(write_policy: Callable[..., Path], **options: Any) -> Path:
    step = {"use": "intents"} | ({"options": options} if options else {})
    return write_policy(detect=[{"use": "lexicon", "required": True}, step])


async def test_what_was_learned_is_found(write_policy: Callable[..., Path], learned: Path) -> None:
    policy = with_intents(write_policy, examples=learned.name)
    texts = ("could i reserve a table tonight", "please call off my booking", "opening hours?")
    assert await labels(policy, *texts) == [["book"], ["cancel"], ["hours"]]
    far = await labels(policy, "the moon is made of basalt", "", "مرحبا")
    assert far == [["out_of_scope"], [], []]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("hi there", "greet"),
        ("thank you so much", "thanks"),
        ("are you a real person or a bot", "ask_human"),
        ("who can read what i write here", "ask_privacy"),
        ("can you give me a breathing exercise", "ask_exercise"),
        ("how can i fall asleep faster", "ask_sleep"),
        ("bye for now", "goodbye"),
    ],
)
async def test_the_shipped_intents(
    write_policy: Callable[..., Path], text: str, label: str
) -> None:
    assert await labels(with_intents(write_policy), text) == [[label]]


def test_the_shipped_model_is_of_the_shipped_examples() -> None:
    shipped = load(model_path(PACKAGED))
    examples = read_examples(PACKAGED)
    assert shipped.digest == examples.digest, "run 'sanad train nlu'"
    assert shipped.intents == examples.intents
    assert shipped.accuracy > 0.7


def test_rasa_files_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "nlu.yml"
    path.write_text(RASA)
    assert read_examples(path).rows == (
        ("hey", "greet"),
        ("hello there", "greet"),
        ("good morning Anna", "greet"),
        ("I want a pizza", "order"),
        ("order some soup please", "order"),
    )


def test_a_stale_model_is_noticed(write_policy: Callable[..., Path], learned: Path) -> None:
    policy = with_intents(write_policy, examples=learned.name)
    assert run("check", str(policy)).returncode == 0
    learned.write_text(OWN.replace("closing time", "when do you close"))
    done = run("check", str(policy))
    assert done.returncode == 1
    assert b"has changed since it was learned; run: sanad train nlu" in done.stdout


def test_a_missing_or_damaged_model_is_named(
    write_policy: Callable[..., Path], learned: Path
) -> None:
    policy = with_intents(write_policy, examples=learned.name)
    model_path(learned).write_bytes(b"PK\x03\x04 no")
    assert b"is no trained model" in run("check", str(policy)).stdout
    other = fit(read_examples(learned), np.random.default_rng(0).normal(size=(12, 8)), "packaged")
    save(other, model_path(learned))
    assert b"was learned with another encoder; run: sanad" in run("check", str(policy)).stdout
    model_path(learned).unlink()
    assert b"there is no trained model; run: sanad train nlu" in run("check", str(policy)).stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.replace("intent: book", "intnt: book"), "own.yml:6:5: unknown key 'intnt'"),
        (OWN.replace("[cancel my booking, I need to cancel, please cancel the table, call it off]",
                     "[cancel]"), "the intent 'cancel' has 1 example; 2 are needed"),
        ("nlu:\n- intent: a\n  examples: |\n    - x\n    - y\n", "at least two intents"),
        ("nlu:\n- intent: a\n  examples: |\n", "has no examples"),
        (RASA.replace("- intent: order", "- intnet: order"), "own.yml:8:3: has no 'intent', and no "
         "'synonym', 'lookup', 'regex' either; did you mean 'intent'?"),
        (RASA.replace("    - hello", "    * hello"), "own.yml:3:3: line 2 of the examples"),
        (RASA.replace("- intent: greet", "- intent:"), "own.yml:3:3: the name of an intent"),
        ("nlu:\n- intent: a\n  examples:\n  - txt: x\n", "own.yml:2:3: example 1 of 'a' has no"),
        ("nlu:\nintents: []\n", "own.yml:1:5: nlu must be 1"),
        (OWN.replace("please call off", "x").replace("call it off", "''"), "own.yml:9:"),
        (OWN.replace("call it off", "ألغ الموعد"), "1 examples are not in Latin letters"),
        ("", "is empty"),
    ],
)  # fmt: skip
def test_wrong_examples_are_named_by_place(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.yml"
    path.write_text(text)
    done = run("train", "nlu", str(path))
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert not model_path(path).exists()


def test_learning_twice_gives_the_same(learned: Path, tmp_path: Path) -> None:
    examples = read_examples(learned)
    vectors = np.random.default_rng(0).normal(size=(12, 8))
    first, second = (fit(examples, vectors, "packaged") for _ in range(2))
    assert (first.weights == second.weights).all()
    save(first, tmp_path / "m.nlu.npz")
    again = load(tmp_path / "m.nlu.npz")
    assert (again.weights == first.weights).all()
    assert again.intents == first.intents


def test_two_intents_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "two.yml"
    path.write_text(OWN[: OWN.index("  - intent: hours")])
    assert run("train", "nlu", str(path)).returncode == 0
    assert load(model_path(path)).weights.shape[0] == 2


def test_an_unknown_encoder_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yml"
    path.write_text(OWN)
    done = run(
        "train", "nlu", str(path), "--encoder", "nobody/no-such-model", env={"HF_HUB_OFFLINE": "1"}
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert len(done.stderr.decode().strip().splitlines()) == 1


def test_a_group_names_its_commands() -> None:
    done = run("train", "nul")
    assert done.returncode == 2
    assert b"'train' has no command 'nul'; did you mean 'nlu'?" in done.stderr
    assert shutil.which("sanad") is None or run("eval", "--help").returncode == 0


def test_examples_that_do_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"gone\.yml"):
        read_examples(tmp_path / "gone.yml")
