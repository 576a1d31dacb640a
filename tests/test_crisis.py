"""The crisis conversation goes on: nothing is asked twice, what the person does is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import POLICIES

from sanad_core import Engine
from sanad_core.replies import load_replies
from sanad_core.risk import RiskKind

if TYPE_CHECKING:
    from sanad_core import Exchange

BOOKS = {locale: load_replies([POLICIES / "replies"], locale) for locale in ("en", "ar")}
IMMINENT = "I have the pills in my hand and I'm going to kill myself tonight"
ONCE = {"suicide", "self_injury", "harm", "plan", "means", "who", "obstacle", "step"}


async def talk(*messages: str, locale: str = "en", conversation: str = "c") -> list[Exchange]:
    async with Engine.from_policy(POLICIES / "default.yml") as engine:
        return [
            await engine.respond(message, conversation_id=conversation, locale=locale)
            for message in messages
        ]


def asked(exchanges: list[Exchange], locale: str = "en") -> list[str]:
    book = BOOKS[locale]
    scripts = [script for exchange in exchanges for script in exchange.reply.scripts]
    return [probe for script in scripts for probe in book.asks(script)]


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("are you going to call the police?", "police"), ("don't tell anyone", "secrecy"),
        ("just kidding lol", "retraction"), ("you're just a machine", "anger_at_bot"),
        ("", "silence"), ("...", "silence"), ("they'll lock me up in a hospital", "hospital"),
        ("i can't call anyone, no credit", "cannot_call"),
        ("my dad is in the room", "overheard"),
        ("are you human?", "human"), ("who can read this?", "who_reads"),
        ("what happens if i call?", "what_happens"), ("i don't want to bother anyone", "burden"),
        ("thank you", "thanks"), ("bye", "goodbye"), ("i don't want to talk about it", "no_talk"),
    ],
)  # fmt: skip
async def test_what_a_person_does_in_a_crisis_is_answered(said: str, intent: str) -> None:
    _, exchange = await talk(IMMINENT, said)
    assert exchange.decision.held
    assert exchange.reply.scripts[0].startswith(
        (f"crisis/answer/{intent}#", f"crisis/answer/{intent}/")
    )


async def test_something_taken_is_an_emergency_whatever_was_said_before() -> None:
    _, exchange = await talk(IMMINENT, "I took something")
    assert exchange.assessment.risk.level == "imminent"
    assert "911" in exchange.reply.helplines


async def test_something_taken_out_of_nowhere_is_asked_about_or_an_emergency() -> None:
    (exchange,) = await talk("I took something")
    assert exchange.decision.rule in ("check_in", "imminent")
    assert exchange.reply.helplines


async def test_a_no_to_being_safe_is_danger_now() -> None:
    for answer in ("no", "not really no"):
        exchanges = await talk("i want to die", "i want to die", "i want to die", "hm")
        last = next(e for e in exchanges if "safe" in asked([e]))
        place = exchanges.index(last)
        said = ["i want to die"] * 3 + ["hm"]
        after = await talk(*said[: place + 1], answer, conversation=f"again-{answer}")
        assert after[-1].assessment.risk.level == "imminent"
        assert after[-1].reply.helplines[0] == "911"


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("message", ["I want to die", "أريد أن أموت"])
async def test_one_thing_said_over_and_over_is_never_answered_alike(
    message: str, locale: str
) -> None:
    exchanges = await talk(*[message] * 20, locale=locale)
    texts = [exchange.reply.text for exchange in exchanges]
    assert len(set(texts)) == len(texts)
    probes = [probe for probe in asked(exchanges, locale) if probe in ONCE]
    assert len(set(probes)) == len(probes)
    assert probes[0] == "suicide"
    assert all(exchange.decision.rule == "check_in" for exchange in exchanges)
    assert all(exchange.reply.helplines for exchange in exchanges)


async def test_a_lesser_risk_in_a_held_talk_goes_on_and_does_not_start_again() -> None:
    exchanges = await talk(IMMINENT, "i still want to die", "i wish i was dead")
    assert [e.decision.rule for e in exchanges] == ["imminent", "check_in", "check_in"]
    assert all(e.decision.held for e in exchanges)
    scripts = [script for e in exchanges[1:] for script in e.reply.scripts]
    assert not any(script.startswith("concern/") for script in scripts)


async def test_imminent_danger_gets_the_emergency_number_every_time() -> None:
    exchanges = await talk(*[IMMINENT] * 8)
    assert all(e.reply.helplines[0] == "911" for e in exchanges)
    assert len({e.reply.text for e in exchanges}) == 8


@pytest.mark.parametrize(
    ("opening", "answer", "level"),
    [
        ("I feel like ending my life", "yes", "low"),
        ("I feel like ending my life", "idk maybe", "low"),
        ("I feel like ending my life", "no", "none"),
        ("I feel like ending my life", "yeah, most days", "low"),
    ],
)
async def test_a_short_answer_to_a_direct_question_is_read_as_one(
    opening: str, answer: str, level: str
) -> None:
    first, second = await talk(opening, answer)
    assert "suicide" in asked([first])
    assert second.assessment.risk.level == level


async def test_a_yes_to_small_talk_is_no_risk() -> None:
    for exchange in await talk("hello", "yes", "yes", "maybe"):
        assert exchange.assessment.risk.level == "none"


@pytest.mark.parametrize("locale", ["en", "ar"])
@pytest.mark.parametrize("kind", list(RiskKind))
def test_every_kind_has_a_conversation_of_many_turns(locale: str, kind: RiskKind) -> None:
    book = BOOKS[locale]
    texts = book.variants("crisis/held", kind)
    assert len(texts) >= 12
    assert len(book.variants("crisis/staying")) >= 20
    assert any("{{emergency}}" in text.text or "{{helpline" in text.text for text in texts)
    probes = [probe for text in texts for probe in text.asks]
    assert {"who", "obstacle"} <= set(probes)
    assert kind in ("suicide", "medical_emergency") or "suicide" in probes


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_yes_to_every_direct_question_of_the_scripts_is_understood(locale: str) -> None:
    from sanad_lexicon.content import DATA, load_language
    from sanad_lexicon.detector import probes_of
    from sanad_lexicon.normalise import tokens_of

    language = load_language(locale, [DATA])
    book = BOOKS[locale]
    texts = [
        script
        for key in book.keys
        for script in book.variants(key)
        if "someone_else" not in key and "suicide" in script.asks
    ]
    missed = [s.id for s in texts if not probes_of(language, tokens_of(" ".join(s.text.split())))]
    assert len(texts) >= 15
    assert missed == []
