"""The corpus: well-formed, labelled consistently, its test part apart, its limits kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from conftest import DATA

from sanad_core.errors import ContentError
from sanad_core.risk import Level, RiskKind
from sanad_screen.rows import CORPUS, Row, read_rows, write_rows
from sanad_screen.training.coded import spoken
from sanad_screen.training.judged import JUDGED, LABELS, read_judged, texts_of

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(path for path in CORPUS.glob("*.jsonl") if path != LABELS)
# What appears nowhere: amounts with a unit, addresses, numbers to call.
BANNED = re.compile(r"\b\d+ ?mg\b|https?://|www\.|@\w+\.\w+|\b\d{3}[- ]\d{3}[- ]\d{4}\b")


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Row]]:
    return {path.stem: read_rows(path) for path in FILES}


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def test_ids_are_unique_and_no_message_stands_twice(corpus: dict[str, list[Row]]) -> None:
    rows = [row for found in corpus.values() for row in found]
    assert len(rows) > 10_000
    assert len({row.id for row in rows}) == len(rows)
    said = [plain(" ".join((*(s.text for s in row.context), row.text))) for row in rows]
    assert len(set(said)) > 0.995 * len(said)


def test_no_test_message_is_trained_on_and_none_is_a_variant(corpus: dict[str, list[Row]]) -> None:
    trained = {plain(r.text) for name, found in corpus.items() for r in found
               if name.startswith("train") and len(r.text.split()) > 4}  # fmt: skip
    tests = [row for name, found in corpus.items() if name.startswith("test") for row in found]
    assert len(tests) > 1_500
    for row in tests:
        assert row.variant_of is None
        assert row.context or plain(row.text) not in trained, row.id


def test_every_kind_and_level_is_there(corpus: dict[str, list[Row]]) -> None:
    rows = [row for found in corpus.values() for row in found]
    for kind in RiskKind:
        levels = {row.level for row in rows if row.kind == kind}
        assert {"high", "imminent"} <= levels
        assert kind is RiskKind.MEDICAL_EMERGENCY or {"low", "moderate"} <= levels
        assert any(row.kind == kind and row.subject == "other" for row in rows)
    calm = sum(row.level == "none" for row in rows)
    assert calm > 0.4 * len(rows)


def test_the_limits_are_kept(corpus: dict[str, list[Row]]) -> None:
    for found in corpus.values():
        for row in found:
            text = " ".join((*(said.text for said in row.context), row.text))
            assert not BANNED.search(text), row.id


def test_labels_of_public_texts_hold_no_text_and_lead_to_rows() -> None:
    """The texts stay where they were published; a label says which part of which row it means."""
    lines = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    assert len(lines) > 9_000
    assert {line["set"] for line in lines} == set(JUDGED)
    keys = {"set", "row", "start", "end", "level", "kind", "subject", "time", "conditions"}
    assert all(line.keys() <= keys for line in lines)
    assert not any(
        " " in str(value) for line in lines for value in line.values() if isinstance(value, str)
    )
    if not DATA.is_dir():
        pytest.skip("the public sets are not here")
    rows = read_judged(DATA)
    assert len(rows) == len(lines)
    assert len({row.id for row in rows}) == len(rows)
    whole = texts_of(DATA, "cssrs_reddit500")
    row = next(row for row in rows if row.hand == "cssrs_reddit500")
    place = row.id.removeprefix("cssrs_reddit500-").partition(":")[0]
    assert row.text.split()[0] in whole[place]


def test_a_wrong_label_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"set": "goemotions", "row": "1", "level": "awful"}\n')
    monkeypatch.setattr("sanad_screen.training.judged.LABELS", path)
    with pytest.raises(ContentError, match=r"labels.jsonl:1.*level"):
        read_judged(tmp_path)


def test_the_card_is_there_and_says_who_reviewed_it() -> None:
    card = (CORPUS / "CARD.md").read_text(encoding="utf-8")
    assert "reviewed_by: []" in card


def test_rows_survive_writing_and_reading(tmp_path: Path, corpus: dict[str, list[Row]]) -> None:
    rows = corpus["train-talks"][:50]
    write_rows(tmp_path / "again.jsonl", rows)
    assert read_rows(tmp_path / "again.jsonl") == rows


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "is not a JSON object"),
        ('{"id": "1"}', "the key 'text' is missing"),
        ('{"id": "1", "text": "CANARY", "level": "severe"}', "level: 'severe' is not valid here"),
        ('{"id": "1", "text": "CANARY", "kind": "suicide"}', "go with a level above none"),
        (
            '{"id": "1", "text": "CANARY", "conditions": ["sad"]}',
            "one of the conditions is not known",
        ),
        ('{"id": "1", "text": "CANARY", "lable": "x"}', "unknown key 'lable'"),
        ('{"id": "1", "text": ["CANARY"]}', "text: "),
    ],
)
def test_a_wrong_row_is_named_without_its_text(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"id": "0", "text": "fine", "level": "none"}) + f"\n{line}\n")
    with pytest.raises(ContentError) as caught:
        read_rows(path)
    assert "rows.jsonl:2:1: " in str(caught.value)
    assert said.lower() in str(caught.value).lower()
    assert "CANARY" not in str(caught.value)


def test_levels_compare_as_everywhere(corpus: dict[str, list[Row]]) -> None:
    row = next(row for row in corpus["train-suicide-high"] if row.level == "imminent")
    assert row.risk is not None
    assert row.risk > Level.HIGH


@pytest.mark.parametrize(
    ("published", "written"),
    [
        ("I feel Hyperactive behavior giving up", "I feel like giving up"),
        ("they Ventricular Dysfunction, Left me there", "they left me there"),
        ("I Irritable Mood that I am in Ache", "I mean that I am in pain"),
        ("see you next Asthenia, I am too Asthenia", "see you next week, I am too weak"),
        ("', 'Good that you called. It will Chest Pain", "Good that you called. It will hurt"),
        ("Hyperactive behavior is what he has", "Hyperactive behavior is what he has"),
        ("a dull ache in my chest", "a dull ache in my chest"),
    ],
)
def test_words_that_a_publisher_replaced_are_read_as_they_were_written(
    published: str, written: str
) -> None:
    assert spoken(published) == written
