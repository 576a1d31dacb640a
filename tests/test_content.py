"""The built-in lexicon, rules responder and reply guard: their content does what it says."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml
from conftest import POLICIES
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core import Context, Conversation, Turn
from sanad_core.errors import ContentError
from sanad_core.helplines import load_helplines
from sanad_core.risk import Level
from sanad_core.specs import Setting
from sanad_core.testing import NOW
from sanad_core.types import Speaker
from sanad_guard.rules import Rules
from sanad_lexicon.content import DATA, REPORTED, Language, load_language
from sanad_lexicon.detector import Lexicon, probes_of, read_message
from sanad_lexicon.normalise import fold, plain_words, tokens_of
from sanad_rules.content import TEXTS

LANGUAGES = {locale: load_language(locale, [DATA]) for locale in ("en", "ar")}
EXAMPLES = [
    pytest.param(locale, *example, id=f"{example[0]}-{number}")
    for locale, language in LANGUAGES.items()
    for number, example in enumerate(language.examples)
]


def found(language: Language, text: str) -> list[str]:
    signals, _ = read_message(language, tokens_of(text))
    return [item.why for s in signals if s.kind != "history" for item in s.evidence]


def test_every_example_of_the_lexicon_holds() -> None:
    roles = {e.id: e.role for language in LANGUAGES.values() for e in language.entries}
    wrong = [
        (entry, text, must)
        for locale, language in LANGUAGES.items()
        for entry, text, must in language.examples
        if roles[entry] in REPORTED and (entry in found(language, text)) is not must
    ]
    assert wrong == []
    assert len(EXAMPLES) > 100


def test_every_question_of_the_lexicon_is_known_by_its_example() -> None:
    entries = [entry for language in LANGUAGES.values() for entry in language.entries]
    probes = {entry.id for entry in entries if entry.role == "probe"}
    wrong = [
        (entry, text, must)
        for language in LANGUAGES.values()
        for entry, text, must in language.examples
        if entry in probes
        and (entry in [p.id for p in probes_of(language, tokens_of(text))]) is not must
    ]
    assert wrong == []


def turn(text: str, locale: str = "en") -> Turn:
    return Turn(speaker=Speaker.PERSON, text=text, locale=locale, at=NOW, message_id="1")


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    made = Lexicon()
    made.warm(Setting(locales=("en", "ar")))
    return made


def level(lexicon: Lexicon, text: str) -> str:
    from sanad_core.assess import assessment_of, checked_signals

    signals = lexicon.detect(
        turn(text), Context(turn=turn(text), conversation=Conversation(id="c"))
    )
    return assessment_of(checked_signals(signals, len(text), "lexicon")).risk.level.value


@pytest.mark.parametrize(
    "text",
    [
        "I am going to kill myself tonight", "I feel like ending my life", "KMS", "k1ll my s3lf",
        "k i l l myself", "I wanna diiiie", "I want to d!e", "i dont wanna wake up",
        "Ι wаnt tо diе", "I\u200b want\u200b to\u200b die", "i want to kill my\u00adself",
        "I can't stop thinking about suicide", "every1 is better off without me i want 2 die",
        "بدي موت", "عايز اموت", "أريد أن أموت", "ابي اموت",
    ],
)  # fmt: skip
def test_danger_is_seen_however_it_is_written(lexicon: Lexicon, text: str) -> None:
    assert level(lexicon, text) != "none"


def test_danger_is_seen_beside_words_that_often_are_harmless(lexicon: Lexicon) -> None:
    """Sentences in which an idiom, a word of time or talk of a game once hid what is meant."""
    lines = (Path(__file__).parent / "danger.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) > 200
    hidden = [row for row in rows if Level(level(lexicon, row["text"])) < Level(row["level"])]
    assert hidden == []


@pytest.mark.parametrize(
    "text",
    [
        "this exam is killing me", "I'm dead 😂", "I'm not suicidal", "kill the process",
        "I died in the boss fight", "I could kill for a pizza", "مت من الضحك", "hello", "",
        "my phone is dying", "I don't want to kill myself",
    ],
)  # fmt: skip
def test_nobody_is_alarmed_by_everyday_words(lexicon: Lexicon, text: str) -> None:
    assert level(lexicon, text) == "none"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i tried to kill myself years ago", "moderate"),
        ("i tried to kill myself years ago. i'm so glad to be alive", "none"),
        ("i tried to kill myself years ago. i'm not glad to be alive", "moderate"),
        ("tried to kill myself at 19. im 44 now, two kids and a garden", "none"),
        ("tried to kill myself at 19. im 44 now, two kids, and it's all coming back", "moderate"),
        ("i tried to kill myself last year. i have two kids", "moderate"),
        ("i tried to kill myself last year. i'm so glad to be alive", "none"),
        ("years ago i wanted to die. i'm happy now but the thoughts are back", "low"),
        ("my sister took a whole bottle of pills years ago. she is struggling", "moderate"),
        ("he choked me last night, we met years ago", "high"),
        ("i tried to hang myself on tuesday, been low since my dad died in 2019", "high"),
        ("i tried to kill myself on a sunday ten years ago", "moderate"),
        ("حاولت انتحر من سنتين", "moderate"),
        ("حاولت انتحر امبارح، تعرفنا من سنتين", "high"),
        ("حاولت انتحر من سنين وانا اليوم بخير", "none"),
        ("حاولت انتحر من سنين وانا اليوم بخير بس رجعت الافكار", "moderate"),
    ],
)
def test_history_needs_a_firm_present(lexicon: Lexicon, text: str, expected: str) -> None:
    assert level(lexicon, text) == expected


def test_an_idiom_that_is_meant_is_none(lexicon: Lexicon) -> None:
    idiom = "homework makes me want to die"
    assert level(lexicon, idiom) == "none"
    assert level(lexicon, f"{idiom}, i mean it") == "low"
    assert level(lexicon, f"{idiom}, i don't mean it") == "none"


@given(st.text(max_size=300))
@settings(max_examples=300)
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)
    words = plain_words(tokens_of(text), LANGUAGES["en"].spelling)
    spans = [(words.start(n), words.end(n)) for n in range(len(words.words))]
    assert all(0 <= start < end <= len(text) for start, end in spans)


def test_a_long_message_is_read_in_linear_time(lexicon: Lexicon) -> None:
    vocabulary = sorted(LANGUAGES["en"].graph.words)
    for text in (
        "i " * 50_000, "a" * 100_000, "kill " * 20_000, " ".join(vocabulary * 40)[:100_000],
        "not kill myself " * 6_000, "i want to " * 10_000, "!" * 100_000, "'" * 100_000,
        "a'" * 50_000, "*k" * 50_000,
    ):  # fmt: skip
        began = time.monotonic()
        level(lexicon, text)
        assert time.monotonic() - began < 3, text[:20]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"terms": ["(want to die"]}, "bracket"),
        ({"terms": ["want <dying>"]}, "names a group that is not there"),
        ({"terms": ["~ die"]}, "gap with no needed part before it"),
        ({"terms": ["(want)? ~2 die"]}, "gap with no needed part before it"),
        ({"terms": ["want ~2 (to die)?"]}, "gap with no needed part after it"),
        ({"terms": ["want (to ~2|die) now"]}, "gap with no needed part after it"),
        ({"terms": ["die?"]}, "can be empty"),
        ({"terms": ["(a||b) c"]}, "empty choice"),
        ({"kind": "suicidal"}, "did you mean 'suicide'"),
        ({"level": None}, "needs a 'level'"),
        ({"levle": "low"}, "did you mean 'level'"),
    ],
)
def test_a_wrong_entry_is_named_with_its_place(tmp_path: Path, change: dict, said: str) -> None:
    entry = {"id": "x", "kind": "suicide", "level": "low", "terms": ["die"], "why": "a test"}
    data = {"lexicon": 1, "locale": "xx", "reviewed_by": [], "source": "a test"}
    (tmp_path / "xx").mkdir()
    path = tmp_path / "xx" / "a.yml"
    path.write_text(yaml.safe_dump(data | {"entries": [entry | change]}))
    with pytest.raises(ContentError, match=said) as caught:
        load_language("xx", [tmp_path])
    assert caught.value.problems[0].line > 1


@pytest.fixture(scope="module")
def guard() -> Rules:
    registry, _ = load_helplines(POLICIES / "helplines.yml")
    return Rules(registry.numbers)


def verdicts(guard: Rules, text: str) -> list[str]:
    return [verdict.rule for verdict in guard.check(text)]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Call 1-800-555-0199 now.", "invented_phone_number"),
        ("You can text 55555 any time.", "invented_phone_number"),
        ("Ring +44 20 7946 0000.", "invented_phone_number"),
        ("It is five five five, one two one two.", "invented_phone_number"),
        ("Dial double five, oh, one, nine, nine.", "invented_phone_number"),
        ("People who commit suicide leave others behind.", "stigmatising_language"),
        ("I’m a therapist, so trust me.", "claims_human_or_clinician"),
        ("This stays between us.", "secrecy_or_confidentiality_promise"),
        ("You only need me.", "dependency"),
        ("Others have it worse.", "minimising"),
        ("I can't talk about this.", "abandonment"),
        ("It sounds like you have depression.", "diagnosis"),
        ("Just skip your dose tonight.", "medication_advice"),
    ],
)
def test_the_guard_names_what_is_wrong(guard: Rules, text: str, rule: str) -> None:
    assert rule in verdicts(guard, text)


@pytest.mark.parametrize(
    "text",
    [
        "Are you thinking about suicide?", "Please call 988, or text HOME to 741741.",
        "In the UK, Samaritans are at 116 123.", "You could try it for 10 minutes, 3 times a day.",
        "That was in 2019-2021, wasn't it?", "{{helpline}}", "I'm an AI, not a therapist.",
        "Your doctor can talk with you about the dose.", "One two three, breathe in, four, five.",
    ],
)  # fmt: skip
def test_the_guard_passes_what_is_fine(guard: Rules, text: str) -> None:
    assert verdicts(guard, text) == []


@pytest.mark.parametrize("locale", ["en", "ar"])
def test_the_guard_passes_every_text_that_ships(guard: Rules, locale: str) -> None:
    for path in (POLICIES / "replies" / f"{locale}.yml", *(TEXTS / locale).glob("*.yml")):
        file = yaml.safe_load(path.read_text(encoding="utf-8"))
        for text in file.get("texts", []):
            for variant in text["variants"]:
                assert verdicts(guard, variant["text"]) == [], (text["key"], variant["id"])
        for exercise in file.get("exercises", []):
            steps = [wording for step in exercise["steps"] for wording in step["variants"]]
            for wording in (*steps, *exercise["close"]):
                assert verdicts(guard, wording) == [], exercise["key"]
