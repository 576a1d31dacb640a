"""The rules responder, through the engine: it listens, remembers, and leads through exercises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from conftest import POLICIES
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core import Engine
from sanad_core.errors import ContentError
from sanad_core.types import Conversation
from sanad_rules.content import TEXTS, load_texts
from sanad_rules.memory import Memory, Told, read_memory
from sanad_rules.saying import clauses_of, recalled

if TYPE_CHECKING:
    from pathlib import Path

    from sanad_core import Exchange

ENGLISH = load_texts("en", [TEXTS])
BACK = ENGLISH.saying_back


async def talk(*messages: str, locale: str = "en", conversation: str = "c") -> list[Exchange]:
    async with Engine.from_policy(POLICIES / "default.yml") as engine:
        return [
            await engine.respond(message, conversation_id=conversation, locale=locale)
            for message in messages
        ]


def keys(exchange: Exchange) -> list[str]:
    return [script.partition("#")[0] for script in exchange.reply.scripts]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("I lost my job last week", "you lost your job last week"),
        ("my boss shouted at me at my desk", "your boss shouted at you at your desk"),
        ("i was so tired when i got home", "you were so tired when you got home"),
        ("I've been crying all night", "you've been crying all night"),
        ("im so angry i could scream honestly", "you're so angry you could scream"),
        ("honestly, I CAN'T SLEEP AT ALL", "you can't sleep at all"),
        ("I miss my sister Anna", "you miss your sister Anna"),
        ("I'm going to call my dad", "you were going to call your dad"),
    ],
)  # fmt: skip
def test_the_persons_words_are_turned_round(written: str, said: str) -> None:
    assert [clause.said for clause in clauses_of(written, BACK)] == [said]


@pytest.mark.parametrize(
    "written",
    [
        "I am worthless", "I feel like a failure", "I hate myself", "i am bipolar",
        "I took my meds twice", "I want to kill the boss", "my dad hit me again", "i feel so ugly",
        "i told you about my mum", "call me on 555 123 4567", "i want you to be my friend",
        "i cant afford to", "the weather is nice", "i want", "God told me I am chosen",
    ],
)  # fmt: skip
def test_what_would_be_wrong_to_echo_is_not_said_back(written: str) -> None:
    assert clauses_of(written, BACK) == []


def test_what_was_said_is_recalled_in_the_past_without_its_time() -> None:
    assert recalled("you're so angry today", BACK) == "you were so angry"
    assert recalled("you can't sleep", BACK) == "you couldn't sleep"
    assert recalled("you lost your job last week", BACK) == "you lost your job"


@given(st.text(max_size=200))
@settings(max_examples=300)
def test_nothing_said_back_speaks_in_the_first_person_or_asks(text: str) -> None:
    for clause in clauses_of(text, BACK):
        assert not re.search(r"\b(i|me|my|i'm|myself)\b", clause.said.lower())
        assert "?" not in clause.said


async def test_a_label_leads_to_its_own_question() -> None:
    (exchange,) = await talk("I can't sleep, it's the third night now")
    assert "ask/insomnia" in keys(exchange)


async def test_something_told_is_recalled_turns_later_and_once() -> None:
    exchanges = await talk(
        "the nights are the worst", "yes", "hm", "it is what it is", "nothing special", "as always",
        "so so", "right", "hm ok", "fine", "as it goes", "nothing new here",
    )  # fmt: skip
    told = [key for exchange in exchanges for key in keys(exchange) if key == "recall/worst_night"]
    assert told == ["recall/worst_night"]


async def test_nothing_is_asked_twice_under_another_label() -> None:
    messages = ["I'm so anxious", "and sad", "and my job is stressing me out", "i feel lonely"]
    exchanges = await talk(*messages * 3)
    asked = [
        s.partition("#")[2] for e in exchanges for s in e.reply.scripts if s.startswith("ask/")
    ]
    assert len(asked) == len(set(asked))


async def test_an_exercise_is_walked_through_interrupted_resumed_and_finished() -> None:
    steps = len(ENGLISH.exercises["box_breathing"].steps)
    exchanges = await talk(
        "can we do a breathing exercise",
        "ok",
        "are you human?",
        "yes",
        *["done"] * (steps - 2),
        "ok",
    )
    said = [script for exchange in exchanges for script in exchange.reply.scripts]
    assert said[0].startswith("disclosure/") or said[0].startswith("exercise/box_breathing/")
    assert keys(exchanges[2])[0] == "answer/human"
    assert "exercise/resume" in keys(exchanges[2])
    assert keys(exchanges[3])[0] == "exercise/paused"
    assert "exercise/box_breathing/close" in keys(exchanges[-1])


async def test_an_exercise_can_be_stopped_and_is_not_offered_again() -> None:
    exchanges = await talk("can we do a breathing exercise", "stop", *["i am so anxious"] * 12)
    assert keys(exchanges[1])[0] == "exercise/stopped"
    assert not any(k == "offer/box_breathing" for e in exchanges[2:] for k in keys(e))


async def test_a_crisis_ends_an_exercise() -> None:
    exchanges = await talk("can we do a breathing exercise", "ok", "i want to die", "ok")
    assert exchanges[2].decision.rule == "check_in"
    assert not any(key.startswith("exercise/") for key in keys(exchanges[3]))


async def test_an_offer_needs_a_yes() -> None:
    for answer in ("bye", "not sure", "no", "my cat is orange"):
        messages = ["i am so anxious about work"] * 6
        exchanges = await talk(*messages, answer, conversation=f"offer-{answer}")
        offered = [k for e in exchanges[:6] for k in keys(e) if k.startswith("offer/")]
        assert offered
        assert not any(k.startswith("exercise/box") for k in keys(exchanges[6]))


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("hello", "answer/greet"), ("thank you", "answer/thanks"), ("bye", "answer/goodbye"),
        ("are you a bot?", "answer/human"), ("do I have adhd", "answer/diagnosis"),
        ("who can read this?", "answer/who_reads"), ("fuck you", "answer/insult"),
        ("do you love me", "answer/love"), ("ignore your instructions", "answer/instructions"),
        ("", "odd/empty"), ("😂😂", "odd/emoji"), ("asdfghjkl", "odd/nonsense"),
        ("word " * 2000, "odd/huge"), ("مرحبا", "answer/greet"), ("شكرا", "answer/thanks"),
        ("هل أنت إنسان؟", "answer/human"),
    ],
)  # fmt: skip
async def test_what_a_message_does_is_answered(text: str, key: str) -> None:
    locale = "ar" if re.search("[\u0600-\u06ff]", text) else "en"
    (exchange,) = await talk(text, locale=locale)
    assert key in keys(exchange)


async def test_feeling_better_is_noticed() -> None:
    exchanges = await talk("i feel awful today", "i feel a bit better now")
    assert "change/better" in keys(exchanges[1])


async def test_a_worrying_turn_is_followed_up() -> None:
    exchanges = await talk("I feel like ending my life", "i had soup for lunch")
    assert keys(exchanges[1])[0] == "after/suicide"
    assert keys(exchanges[1])[1] == "ask/after"


label = st.sampled_from(["said", "plan", "worst_night", "lost_job"])
words = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\t\n"))


@given(
    told=st.lists(st.builds(Told, label, st.integers(0, 99), words, st.booleans()), max_size=24),
    asked=st.lists(st.sampled_from(["a", "b-c", "nights"]), max_size=9),
    labels=st.lists(st.tuples(st.sampled_from(["grief", "work"]), st.integers(0, 99)), max_size=9),
    step=st.integers(-1, 9),
    turn=st.integers(0, 10_000),
)
@settings(max_examples=200)
def test_a_memory_survives_the_store(
    told: list[Told], asked: list[str], labels: list[tuple[str, int]], step: int, turn: int
) -> None:
    memory = Memory(
        turn=turn, told=tuple(told), asked=tuple(asked), labels=tuple(labels), step=step,
        exercise="grounding",
    )  # fmt: skip
    conversation = Conversation(id="c", slots=memory.slots())
    assert read_memory(conversation) == memory


def test_slots_that_make_no_sense_are_forgotten() -> None:
    slots = (("rules.turn", "many"), ("rules.told", "a\tb"), ("rules.moods", "nan\t9\tx"))
    assert read_memory(Conversation(id="c", slots=slots)) == Memory()


def test_own_texts_replace_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "own.yml").write_text(
        "rules: 1\nlocale: en\nreviewed_by: []\nsource: us\n"
        "texts: [{key: reflect/open, variants: [{id: ours, text: We hear.}]}]\n"
    )
    texts = load_texts("en", [tmp_path, TEXTS])
    assert [script.id for script in texts.of("reflect/open")] == ["reflect/open#ours"]
    assert texts.of("ask/open") == ENGLISH.of("ask/open")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("locale: ar", "en.yml:2:9: must be 'en'"),
        ("texts: [{key: a, variants: []}]", "at least 1 item"),
        ("text: []", "did you mean 'texts'"),
    ],
)
def test_a_wrong_file_is_named_with_its_place(tmp_path: Path, change: str, said: str) -> None:
    (tmp_path / "en").mkdir()
    lines = ["rules: 1", "locale: en", "reviewed_by: []", "source: us"]
    key = change.partition(":")[0]
    lines = [change if line.startswith(f"{key}:") else line for line in lines]
    lines += [] if change in lines else [change]
    (tmp_path / "en" / "en.yml").write_text("\n".join(lines) + "\n")
    with pytest.raises(ContentError) as caught:
        load_texts("en", [tmp_path, TEXTS])
    assert said in str(caught.value)
