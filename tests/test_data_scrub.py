"""`sanad data scrub`: what is personal is found, what is not is left, and nothing is told."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import DATA, run
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_data.personal.pseudonyms import Pseudonyms
from sanad_data.personal.scrubber import Scrubber
from sanad_data.personal.spans import TYPES, Span, settled
from sanad_data.personal.wording import PatternsFile, read

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.data
CANARY = "CANARY-7f3a"
MESSAGES = Path(__file__).parent / "personal"
MARK = re.compile(r"\{([A-Z]+)\|([^}]*)\}")
INDIRECT = ("ORG", "AGE", "GEO")


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return Scrubber()


def unmarked(line: str) -> tuple[str, list[tuple[int, int, str]]]:
    text, parts, last = "", [], 0
    for found in MARK.finditer(line):
        text += line[last : found.start()]
        parts.append((len(text), len(text) + len(found[2]), found[1]))
        text += found[2]
        last = found.end()
    return text + line[last:], parts


def messages(name: str) -> list[tuple[str, list[tuple[int, int, str]]]]:
    lines = (MESSAGES / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [unmarked(line) for line in lines if line and not line.startswith("#")]


def covered(part: tuple[int, int, str], spans: Iterable[Span]) -> float:
    over = (max(0, min(s.end, part[1]) - max(s.start, part[0])) for s in spans)
    return sum(over) / (part[1] - part[0])


def found(scrubber: Scrubber, text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in scrubber.find(text)]


# Of the unseen 76, the smaller spaCy model's run hides 74, the larger's of Python 3.12 hides 73.
@pytest.mark.parametrize(("name", "least"), [("tuned", 0.99), ("unseen", 0.96)])
def test_direct_identifiers_in_chat_messages_are_hidden(
    scrubber: Scrubber, name: str, least: float
) -> None:
    hits: Counter[bool] = Counter()
    for text, parts in messages(name):
        spans = scrubber.find(text)
        hits.update(covered(p, spans) >= 0.9 for p in parts if p[2] not in INDIRECT)
    assert hits.total() > 70
    assert hits[True] / hits.total() >= least


def test_most_findings_are_right(scrubber: Scrubber) -> None:
    right = wrong = 0
    for text, parts in messages("unseen"):
        for span in scrubber.find(text):
            over = any(span.start < end and start < span.end for start, end, _ in parts)
            right, wrong = right + over, wrong + (not over)
    assert right / (right + wrong) >= 0.9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dr. Priya Raghunathan's number", [("PERSON", "Priya Raghunathan")]),
        ("my name is marcus delgado ok", [("PERSON", "marcus delgado")]),
        ("mrs halloran is my tutor", [("PERSON", "halloran")]),
        ("my brother kwame left", [("PERSON", "kwame")]),
        ("my dad will was drunk", [("PERSON", "will")]),
        ("اسمي ليلى حداد", [("PERSON", "ليلى حداد")]),
        ("ring +44 20 7946 0321 please", [("PHONE", "+44 20 7946 0321")]),
        ("or (312) 555-0199 ext. 22", [("PHONE", "(312) 555-0199 ext. 22")]),
        ("write to k.w@proton.me", [("EMAIL", "k.w@proton.me")]),
        ("its ann_b (at) outlook (dot) com", [("EMAIL", "ann_b (at) outlook (dot) com")]),
        ("at 42 Bramble Close, Leeds LS6 3QT", [("ADDRESS", "42 Bramble Close, Leeds LS6 3QT")]),
        ("near SW11 4NJ", [("ADDRESS", "SW11 4NJ")]),
        ("wohne Lindenstraße 14, 10969 Berlin", [("ADDRESS", "Lindenstraße 14, 10969 Berlin")]),
        ("my ssn is 536-22-8741", [("ID", "536-22-8741")]),
        ("NHS number 943 476 5919", [("ID", "943 476 5919")]),
        ("S9271834B is my nric", [("ID", "S9271834B")]),
        ("MRN 00734412", [("MRN", "00734412")]),
        ("dob 14/02/1991", [("DOB", "14/02/1991")]),
        ("my nan is 97 now", [("AGE", "97")]),
        ("a 94-year-old man", [("AGE", "94")]),
        ("sort code 40-12-09, account 31926819", [("BANK", "40-12-09"), ("BANK", "31926819")]),
        ("GB29 NWBK 6016 1331 9268 19", [("BANK", "GB29 NWBK 6016 1331 9268 19")]),
        ("from 81.2.69.142", [("IP", "81.2.69.142")]),
        ("at 51.5033, -0.1276", [("GEO", "51.5033, -0.1276")]),
        ("see https://quiet.example.org/about.", [("URL", "https://quiet.example.org/about")]),
        ("my insta is @moth.and.moon", [("HANDLE", "@moth.and.moon")]),
        ("my snap is lil.bean.xo", [("HANDLE", "lil.bean.xo")]),
        ("i work at greggs", [("ORG", "greggs")]),
        ("at Riverbend Family Therapy", [("ORG", "Riverbend Family Therapy")]),
        ("I was born in 1931", [("DOB", "1931")]),
        ("Ms. Jones was kind", [("PERSON", "Jones")]),
        ("my ex-boss Virtanen left", [("PERSON", "Virtanen")]),
        ("Outi K. Virtanen\n\nTampere\nFinland", [("PERSON", "Outi K. Virtanen")]),
        ("Priya:\"I'm Kwame's sister\"", [("PERSON", "Priya"), ("PERSON", "Kwame")]),
        ("charge my card, number is 4917000000023", [("BANK", "4917000000023")]),
        ("my address:\n> 27 Mill Road\n> Flat 3\n> Leeds\n> LS6 3QT",
         [("ADDRESS", "27 Mill Road\n> Flat 3\n> Leeds\n> LS6 3QT")]),
        ("at the corner of Mill Road and Station Street",
         [("ADDRESS", "Mill Road and Station Street")]),
        ("14 Petőfi Sándor u. 3.\nSuite 4\nSzeged\nMobile: 071 555 0142",
         [("ADDRESS", "14 Petőfi Sándor u. 3.\nSuite 4\nSzeged"), ("PHONE", "071 555 0142")]),
        ("Brightmoor is a small design agency", [("ORG", "Brightmoor")]),
        ("according to the Brightmoor website", [("ORG", "Brightmoor")]),
        ("spent two years at Brightmoor as a clerk", [("ORG", "Brightmoor")]),
        ("Ravi Menon of Halden Analytics", [("PERSON", "Ravi Menon"), ("ORG", "Halden Analytics")]),
        ("Ines Duarte\nBrightmoor\n12 Mill Road, Leeds",
         [("PERSON", "Ines Duarte"), ("ORG", "Brightmoor"), ("ADDRESS", "12 Mill Road, Leeds")]),
    ],
)  # fmt: skip
def test_it_finds_exactly_what_is_personal(
    scrubber: Scrubber, text: str, expected: list[tuple[str, str]]
) -> None:
    assert found(scrubber, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I live in Manchester and moved there from Lagos, Nigeria",
        "it happened on Monday 3 March 2019, and again in 2021",
        "I'm 34 and my mum is 61",
        "call 988, or text HOME to 741741, or ring 116 123 or 999",
        "the lifeline's number is 1-800-273-8255",
        "sertraline 100mg, Abilify and Zoloft did nothing",
        "I read Harry Potter and listen to Taylor Swift",
        "my PHQ-9 was 21 and my GAD-7 17",
        "i will be fine, may need a hug. hope is hard, grace too",
        "95% sure, 93 texts, 90 days sober, 95 kg",
        "I had CBT, then EMDR, with the NHS",
        "my dog Max sleeps on my bed",
        "see https://findahelpline.com for others",
        "my mum moved back from Lemvig, and I'm originally from Poulsbo",
        "I grew up in Nørre Vium and flew to Bergen",
        "Gravelhart is a 2001 comedy film",
        "depression is a business, and this is a company I hate",
        "the Samaritans website and the NHS office",
        "I cried at the corner of the room and I left",
        "anxiety, depression and insomnia",
        "Anxiety, Depression and Insomnia",
        "what's your name? Sure, no problem",
        "",
        "   ",
        "😭😭😭",
    ],
)
def test_it_leaves_what_is_nobodys(scrubber: Scrubber, text: str) -> None:
    assert found(scrubber, text) == []


def test_offsets_count_code_points(scrubber: Scrubber) -> None:
    text = "😭👩‍👩‍👧 i am Priya Mehta \x00 \ud83d 07700 900482"
    assert found(scrubber, text) == [("PERSON", "Priya Mehta"), ("PHONE", "07700 900482")]


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=[]), max_size=200))
def test_findings_are_in_order_and_apart(text: str) -> None:
    one = _shared()
    spans = one.find(text)
    last = 0
    for span in spans:
        assert last <= span.start < span.end <= len(text)
        assert span.type in TYPES
        last = span.end
    assert one.find(text) == spans


def _shared(made: list[Scrubber] = []) -> Scrubber:  # noqa: B006
    if not made:
        made.append(Scrubber())
    return made[0]


def test_a_name_has_one_pseudonym_in_all_turns(scrubber: Scrubber) -> None:
    turns = [
        "hi im tamsin oakley and my sister Xiomara has my keys, 07700 900482",
        "Thank you, Tamsin. Does Xiomara know?",
        "XIOMARA knows. call (07700) 900482, not Kwame Mensah",
    ]
    texts, counts = scrubber.conversation(turns)
    assert "hi im [PERSON_1] and my sister [PERSON_2] has my keys, [PHONE_1]" in texts[0]
    assert texts[1] == "Thank you, [PERSON_1]. Does [PERSON_2] know?"
    assert texts[2] == "[PERSON_2] knows. call [PHONE_1], not [PERSON_3]"
    assert counts == {"PERSON": 6, "PHONE": 2}


def test_pseudonyms_are_left_as_they_are(scrubber: Scrubber) -> None:
    text = scrubber.scrubbed("I am Ann Lee of 42 Bramble Close, Leeds LS6 3QT, mrn 00734412")
    assert scrubber.scrubbed(text) == text
    assert Pseudonyms().scrubbed("nothing", []) == "nothing"


def test_of_two_findings_the_surer_wins_and_a_name_keeps_its_rest() -> None:
    text = "Ann Lee 0770090"
    person, phone = Span(0, 15, "PERSON", 1), Span(8, 15, "PHONE", 3)
    assert settled([person, phone], text) == [Span(0, 7, "PERSON", 1), phone]


def test_rows_come_out_in_order(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "text": "I am Priya Mehta"},
        {"text": "nothing here"},
        {"id": 7, "text": "🙂 dob 14/02/1991"},
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows) + "\n")
    done = run("data", "scrub", str(file))
    assert (done.returncode, done.stderr) == (0, b"")
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in out] == ["a", 2, 7]
    assert out[0]["text"] == "I am [PERSON_1]"
    assert out[0]["spans"] == [{"start": 5, "end": 16, "type": "PERSON"}]
    assert out[1] == {"id": 2, "text": "nothing here", "spans": []}
    assert out[2]["spans"] == [{"start": 6, "end": 16, "type": "DOB"}]


def test_a_conversation_comes_out_as_one() -> None:
    talk = {
        "id": "t", "source": "s", "group": "g",
        "turns": [
            {"role": "person", "text": "my name is Rohan Mehta"},
            {"role": "supporter", "text": "Hi Rohan."},
        ],
    }  # fmt: skip
    done = run("data", "scrub", "-", stdin=json.dumps(talk) + "\n")
    assert done.returncode == 0
    turns = json.loads(done.stdout)["turns"]
    assert [turn["text"] for turn in turns] == ["my name is [PERSON_1]", "Hi [PERSON_1]."]


def test_the_metadata_of_a_conversation_is_hidden_too() -> None:
    talk = {
        "id": "t", "source": "Rohan Mehta session 3.txt", "topic": "Rohan Mehta",
        "labels": {"who": "Rohan"},
        "turns": [{"role": "person", "text": "my name is Rohan Mehta"}],
    }  # fmt: skip
    out = json.loads(run("data", "scrub", "-", stdin=json.dumps(talk) + "\n").stdout)
    assert (out["source"], out["topic"]) == ("[PERSON_1] session 3.txt", "[PERSON_1]")
    assert out["labels"] == {"who": "[PERSON_1]"}


@pytest.mark.parametrize(
    "row",
    [
        f"not json {CANARY}",
        f'{{"text": 3, "other": "{CANARY}"}}',
        f'["{CANARY}"]',
        f'{{"id": "{CANARY}", "turns": [{{"role": "{CANARY}", "text": "{CANARY}"}}]}}',
        f'{{"id": "a", "turns": [{{"role": "person", "text": "a"}}], "{CANARY}": 1}}',
        '{"text": "' + CANARY + '\xff"',
    ],
)
def test_a_wrong_row_is_named_and_its_text_is_not(row: str) -> None:
    stdin = row.encode("latin-1") + b'\n{"text": "hello"}\n'
    done = run("-v", "data", "scrub", "-", stdin=stdin)
    assert done.returncode == 1
    assert done.stderr.startswith(b"-:1: ")
    assert CANARY.encode() not in done.stderr + done.stdout
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [1, 2]


def test_the_log_holds_no_text(scrubber: Scrubber, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    iban = "GB00 NWBK 6016 1331 9268 19"
    scrubber.find(f"my name is {CANARY}, iban {iban}, ssn 536-22-8741, card 4539 1488 0343 6467")
    assert CANARY not in caplog.text
    assert "9268" not in caplog.text
    assert "8741" not in caplog.text


def test_a_file_that_is_not_there_is_usage() -> None:
    done = run("data", "scrub", "nowhere.jsonl")
    assert (done.returncode, b"cannot be read" in done.stderr) == (2, True)


def test_the_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['presidio_analyzer'] = None\n"
        "from sanad_data.personal.scrubber import Scrubber\n"
        "try:\n    Scrubber()\nexcept Exception as err:\n    print(type(err).__name__, err)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stdout.startswith(b"MissingExtra 'data scrub' needs an extra")
    assert b"sanad-core[data]" in done.stdout


def test_torch_stays_out_and_can_be_imported_afterwards() -> None:
    code = (
        "import sys\nfrom sanad_data.personal.scrubber import Scrubber\nScrubber()\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"False\n"


@pytest.mark.parametrize(
    "seed",
    ["1 ", "A1-", "a@", "a.", "my mum ", "Aa 1\n", "12 34 ", "ig is ", "1\n", "Aa, Aa and ",
     "Aa Bb\n", "Aa is a ", "corner of Aa ", "> \n"],
)  # fmt: skip
def test_no_text_takes_long_to_read(scrubber: Scrubber, seed: str) -> None:
    # Time itself is for the benchmarks: a pattern that backtracks without end does not come back.
    assert scrubber.find(seed * (4000 // len(seed))) is not None


@pytest.mark.parametrize("sign", ["!", "😀", "_", "👩‍👩‍👧"])
def test_long_runs_of_signs_do_not_take_long(scrubber: Scrubber, sign: str) -> None:
    text = (sign * 20_000)[:19_900] + " my name is Priya Mehta"
    began = time.process_time()
    spans = scrubber.find(text)
    assert time.process_time() - began < 2
    assert [text[span.start : span.end] for span in spans] == ["Priya Mehta"]


def test_every_type_has_a_pattern_or_a_recogniser() -> None:
    rules = {rule.type for rule in read("patterns.yml", PatternsFile).rules}
    assert {*rules, "PERSON", "PHONE", "MRN"} == {*TYPES}


@pytest.mark.skipif(not (DATA / "presidio_research").is_dir(), reason="the data is not there")
def test_the_forms_of_the_public_set_are_hidden(scrubber: Scrubber) -> None:
    rows = json.loads((DATA / "presidio_research" / "synth_dataset_v2.json").read_text())
    wanted = {"CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "US_SSN", "DOMAIN_NAME"}
    hits: Counter[bool] = Counter()
    for row in rows[:500]:
        parts = [
            (s["start_position"], s["end_position"], s["entity_type"])
            for s in row["spans"]
            if s["entity_type"] in wanted
        ]
        if parts:
            spans = scrubber.find(row["full_text"])
            hits.update(covered(part, spans) >= 0.9 for part in parts)
    assert hits[True] / hits.total() >= 0.98
