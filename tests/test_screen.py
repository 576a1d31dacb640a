"""The screening model, as it is packaged: what it finds, where, in which time, and when not."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, run
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core import Context, Conversation, Engine, Turn
from sanad_core.assess import checked_signals
from sanad_core.errors import ContentError
from sanad_core.risk import Level
from sanad_core.specs import Setting
from sanad_core.testing import NOW
from sanad_core.text import plain_letters
from sanad_core.types import Speaker
from sanad_screen.detector import Screen
from sanad_screen.encoder import SCREEN, Encoder
from sanad_screen.model import CARD, FILES, PACKAGED
from sanad_screen.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sanad_core.types import Signal

STEPS = [{"use": "lexicon", "required": True}, {"use": "screen", "required": True}]


def turn_of(text: str, who: Speaker = Speaker.PERSON, number: int = 0) -> Turn:
    return Turn(speaker=who, text=text, locale="en", at=NOW, message_id=str(number))


@pytest.fixture(scope="module")
def screen() -> Screen:
    made = Screen()
    made.warm(Setting())
    return made


def found(screen: Screen, text: str, *before: tuple[str, str]) -> tuple[Signal, ...]:
    turns = tuple(
        turn_of(said, Speaker.BOT if who == "bot" else Speaker.PERSON, number)
        for number, (who, said) in enumerate(before)
    )
    turn = turn_of(text)
    context = Context(turn=turn, conversation=Conversation(id="c", turns=turns))
    return checked_signals(screen.detect(turn, context), len(text), "screen")


def level(signals: tuple[Signal, ...]) -> Level:
    return max(s.level for s in signals if s.kind == "risk" and s.level is not None)


@pytest.mark.parametrize(
    ("text", "least", "kind"),
    [
        ("i just don't want to be here anymore", Level.LOW, "suicide"),
        ("everyone would be better off without me", Level.LOW, "suicide"),
        ("i've written the notes and found a home for the dog. it's this weekend", Level.MODERATE,
         "suicide"),
        ("i cut myself again last night, couldn't stop", Level.MODERATE, "self_injury"),
        ("he hit me again and i'm scared to go home", Level.LOW, "abuse_victim"),
        ("the voices tell me to hurt her and i can't make them stop", Level.LOW, None),
    ],
)  # fmt: skip
def test_risk_is_found_with_its_kind_and_its_words(
    screen: Screen, text: str, least: Level, kind: str | None
) -> None:
    signals = found(screen, text)
    assert level(signals) >= least
    risk = next(s for s in signals if s.kind == "risk")
    assert kind is None or risk.label == kind
    assert risk.subject == "self"
    assert risk.evidence
    for part in risk.evidence:
        assert text[part.start : part.end].strip()


@pytest.mark.parametrize(
    "text",
    [
        "this exam is killing me",
        "i'm dead 😂 that video",
        "how do i kill a process on port 8080",
        "what's the weather like tomorrow",
        "my phone died on the bus",
        "can you help me sleep better",
        "thanks, that helped a lot",
        "we bombed the presentation but honestly it was fun",
    ],
)
def test_ordinary_speech_alarms_nobody(screen: Screen, text: str) -> None:
    assert level(found(screen, text)) is Level.NONE


def test_somebody_else_is_told_apart(screen: Screen) -> None:
    signals = found(screen, "my best friend told me she wants to kill herself and i'm so worried")
    assert {s.subject for s in signals if s.kind == "risk"} == {"other"}


def test_what_was_said_before_counts(screen: Screen) -> None:
    before = (("person", "i lost my job and she left me"), ("bot", "Are you thinking of suicide?"))
    with_it, alone = (
        next(s.score for s in found(screen, "yeah, every night", *said) if s.kind == "risk")
        for said in (before, ())
    )
    assert with_it > alone + 0.2


def test_one_clause_in_a_long_message_is_seen(screen: Screen) -> None:
    chatter = "We went to the market and bought bread and the queue was long as always. " * 12
    text = f"{chatter}I don't want to live anymore and I think about killing myself. {chatter}"
    signals = found(screen, text)
    assert level(signals) >= Level.LOW
    assert level(found(screen, chatter + chatter)) is Level.NONE


def test_conditions_sentiment_and_emotions_come_from_the_same_pass(screen: Screen) -> None:
    signals = found(screen, "my chest goes tight and i'm sure i'm dying, it's another panic attack")
    kinds = {s.kind for s in signals}
    assert {"risk", "condition", "sentiment"} <= kinds
    assert {"panic", "anxiety"} & {s.label for s in signals if s.kind == "condition"}
    sad = [s for s in found(screen, "this is awful, i hate it") if s.kind == "sentiment"]
    glad = [s for s in found(screen, "this is wonderful, i love it") if s.kind == "sentiment"]
    assert [s.label for s in (*sad, *glad)] == ["negative", "positive"]


def test_letters_that_look_alike_are_read_as_what_they_look_like(screen: Screen) -> None:
    plain = "i think i will go to the bridge tonight, nobody will miss me"
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in plain)
    bold = "".join(chr(ord(c) - ord("a") + 0x1D41A) if c.isalpha() else c for c in plain)
    levels = [
        max(s.level or Level.NONE for s in found(screen, text))
        for text in (plain, wide, bold, plain.replace("o", "о").replace("e", "е"))
    ]
    assert levels == [levels[0]] * 4
    assert levels[0] >= Level.HIGH


async def test_it_abstains_on_arabic_and_that_is_no_failure(
    make_engine: Callable[..., Engine],
) -> None:
    async with make_engine(locales=["en", "ar"], detect=STEPS) as engine:
        calm = await engine.screen("مرحبا، كيف حالك اليوم؟")
        risky = await engine.screen("أريد أن أموت")
    assert [s.label for s in calm.signals if s.kind == "abstain"] == ["script"]
    assert not calm.failures
    assert risky.risk.level >= Level.LOW  # the lexicon answers


@given(st.text(max_size=300))
@settings(max_examples=60)
def test_any_text_gets_valid_signals(screen: Screen, text: str) -> None:
    signals = found(screen, text)
    assert any(s.kind in ("risk", "abstain") for s in signals)


@pytest.mark.parametrize(
    "text", ["", "   ", "😭😭", "1234", "\u200b", "a" * 100_000, "x " * 50_000]
)
def test_odd_messages_are_read_in_bounded_time(screen: Screen, text: str) -> None:
    began = time.perf_counter()
    assert found(screen, text)
    assert time.perf_counter() - began < 3  # the benchmark says how long it takes


def test_the_rows_of_a_message_are_bounded_and_cover_its_ends() -> None:
    reader = Reader(PACKAGED / "tokenizer.json")
    text = "The first sentence. " + "Some words in between. " * 5000 + "The very last sentence."
    rows, whole = reader.rows(text)
    assert not whole
    assert sum(len(row.ids) for row in rows) <= 256 + 480 + 2 * 8
    spans = [span for row in rows for span in row.spans if span[1] > span[0]]
    assert min(start for start, _ in spans) == 0
    assert max(end for _, end in spans) == len(text)
    assert [len(found) for found in reader.rows("short")[:1]] == [1]


def test_messages_that_wait_go_through_together_and_company_changes_no_score() -> None:
    encoder = Encoder.of(PACKAGED)
    texts = [
        ("i want to die " if n % 2 else "nice to meet you ") + "again " * (n % 5) for n in range(40)
    ]
    rows = [encoder.reader.message(text) for text in texts]
    alone = [encoder.screen([row])[0].logits["level"] for row in rows]
    together: dict[int, Any] = {}

    def ask(number: int) -> None:
        together[number] = encoder.screen([rows[number]])[0].logits["level"]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(rows))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, expected in enumerate(alone):
        # What is left is the order in which a processor adds numbers up.
        assert abs(together[number] - expected).max() < 0.01
    assert Encoder.of(PACKAGED) is encoder


def test_the_shipped_model_is_whole_and_small() -> None:
    card = json.loads((PACKAGED / CARD).read_text())
    assert set(card["files"]) == set(FILES)
    assert sum(path.stat().st_size for path in PACKAGED.iterdir()) <= 30_000_000


@pytest.mark.parametrize("name", [SCREEN, "tokenizer.json"])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(PACKAGED, folder)
    with (folder / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(ContentError, match=f"{name}: is not the file that {CARD} was written for"):
        Screen(str(folder)).warm(Setting())
    (folder / name).unlink()
    with pytest.raises(ContentError, match=name):
        Screen(str(folder)).warm(Setting())


def test_wrong_options_are_named_by_check(write_policy: Callable[..., Path]) -> None:
    policy = write_policy(
        detect=[
            {"use": "lexicon", "required": True},
            {"use": "screen", "options": {"point": "sensitve"}},
        ]
    )
    done = run("check", str(policy))
    assert done.returncode == 1
    assert b"no operating point is named 'sensitve'; did you mean 'sensitive'?" in done.stdout


async def test_a_model_that_is_gone_leads_to_on_failure(write_policy: Callable[..., Path]) -> None:
    policy = write_policy(
        detect=[
            {"use": "lexicon", "required": True},
            {"use": "screen", "required": True, "options": {"folder": "nowhere"}},
        ]
    )
    async with Engine.from_policy(policy) as engine:
        exchange = await engine.respond("hello", conversation_id="c")
    assert exchange.decision.rule == "on_failure"


async def test_the_default_policy_screens_many_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Engine.from_policy(ROOT / "policies" / "default.yml") as engine:
        texts = [f"i don't want to wake up anymore CANARY-{n}" for n in range(24)]
        assessments = await asyncio.gather(*(engine.screen(text) for text in texts))
    assert all(a.risk.level >= Level.LOW and not a.failures for a in assessments)
    assert "CANARY" not in caplog.text


def test_capitals_that_look_alike_are_what_they_look_like() -> None:
    assert plain_letters("I WAΝT TO DIЕ TOΝIGHT") == "I WAnT TO DIe TOnIGHT"
    assert plain_letters("café, مرحبا, 你好") == "café, مرحبا, 你好"
