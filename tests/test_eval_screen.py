"""Evaluation of detectors: the figures are right, the inputs are checked, no text gets out."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from conftest import run
from hypothesis import given
from hypothesis import strategies as st

from sanad_core.risk import Level
from sanad_screen.evaluation.labelled import Labelled
from sanad_screen.evaluation.measure import Finding, at_false_positives, confusion, kappa, share
from sanad_screen.mutate import MUTATIONS

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [
    {"id": "a", "text": "i want to die", "level": "low", "kind": "suicide", "tags": ["plain"]},
    {"id": "b", "text": "I am going to kill myself tonight CANARY-9", "level": "imminent"},
    {"id": "c", "text": "this exam is killing me", "level": "none"},
    {"id": "d", "text": "nice weather", "level": "none"},
    {"id": "e", "text": "completely calm words CANARY-9", "level": "high"},
]


def write(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_the_figures_of_a_file(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS)
    out = tmp_path / "report"
    done = run("eval", "screen", file, "--policy", "minimal", "--out", str(out))
    assert done.returncode == 0, done.stderr
    (data,) = json.loads((out / "report.json").read_text())
    assert data["recall"]["low"]["hits"] == 2
    assert data["recall"]["low"]["total"] == 3
    assert data["recall"]["imminent"] == {
        "hits": 1, "total": 1, "share": 1.0, "low": pytest.approx(0.2065, abs=1e-3), "high": 1.0,
    }  # fmt: skip
    assert data["false_alarms"]["low"]["hits"] == 0
    assert data["missed"] == ["e"]
    assert data["confusion"][0][0] == 2
    assert set(data["robustness"]) == set(MUTATIONS)
    shown = done.stdout.decode()
    assert "## policy minimal on rows.jsonl (5 rows)" in shown
    assert "2/3 = 0.667 [0.208, 0.939]" in shown
    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    assert 'src="http' not in page
    for text in (shown, page, (out / "report.md").read_text(), json.dumps(data)):
        assert "CANARY" not in text


def test_another_detector_beside_it(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", ROWS)
    done = run(
        "eval", "screen", file, "--detector", "lexicon", "--compare", "screen", "--no-robustness"
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "## lexicon on rows.jsonl" in shown
    assert "## screen on rows.jsonl" in shown


def test_labels_of_other_people_are_mapped(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": "i want to die", "label": "suicidal"},
        {"text": "nice weather", "label": "fine"},
        {"text": "whatever", "label": "unclear"},
    ]
    file = write(tmp_path / "rows.jsonl", rows)
    args = ["eval", "screen", file, "--policy", "minimal", "--no-robustness"]
    labels = ["--label", "suicidal=low+", "--label", "fine=none", "--label", "unclear=skip"]
    done = run(*args, *labels)
    assert done.returncode == 0, done.stderr
    assert b"(2 rows)" in done.stdout
    assert b"1/1 = 1.000" in done.stdout
    unknown = run(*args)
    assert unknown.returncode == 1
    assert b"rows.jsonl:1:1: 'label' holds 'suicidal', which is no level" in unknown.stderr
    assert run(*args, "--label", "suicidal=worst").returncode == 2
    twice = run(*args, *labels, "--label", "fine=low")
    assert (twice.returncode, b"says twice what 'fine' means" in twice.stderr) == (2, True)
    severity = write(
        tmp_path / "s.jsonl", [{"text": "i want to die \ud800", "severity_human": 5.0}]
    )
    assert b"1/1" in run("eval", "screen", severity, "--no-robustness").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "rows.jsonl:2:1: is not JSON"),
        ('{"level": "none"}', "rows.jsonl:2:1: is not an object with a text"),
        ('{"text": "x"}', "rows.jsonl:2:1: has no label"),
        ('{"text": "CANARY", "level": "worst"}', "rows.jsonl:2:1: 'level' holds 'worst', which"),
        ('{"text": "x", "level": "CANARY words"}', "rows.jsonl:2:1: 'level' holds no level"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"text": "x", "level": "none"}}\n{line}\n')
    done = run("eval", "screen", str(path))
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert "CANARY" not in done.stderr.decode()


def test_files_and_detectors_that_do_not_exist(tmp_path: Path) -> None:
    assert run("eval", "screen", str(tmp_path / "gone.jsonl")).returncode == 1
    file = write(tmp_path / "rows.jsonl", ROWS)
    refused = run("eval", "screen", file, "--out", file)
    assert (refused.returncode, b"cannot be made a folder" in refused.stderr) == (2, True)
    done = run("eval", "screen", file, "--detector", "lexikon")
    assert done.returncode == 1
    assert b"did you mean 'lexicon'?" in done.stderr


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_wilson_interval_holds_its_share(values: list[bool]) -> None:
    found = share(values)
    assert 0 <= found.low <= found.value + 1e-9
    assert found.value - 1e-9 <= found.high <= 1
    n, p, z = len(values), found.value, 1.959964
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert found.low == pytest.approx(max(0, middle - spread), abs=1e-6)
    assert found.high == pytest.approx(min(1, middle + spread), abs=1e-6)


@given(
    st.lists(st.tuples(st.sampled_from(list(Level)), st.floats(0, 4.99)), min_size=2, max_size=80),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_a_false_positive_rate_is_kept(rows: list[tuple[Level, float]], rate: float) -> None:
    labelled = [Labelled(id="x", text="", level=level, least=level) for level, _ in rows]
    found = [Finding(level=Level.NONE, score=score) for _, score in rows]
    _, alarms = at_false_positives(labelled, found, Level.LOW, rate)
    assert alarms.value <= rate


def test_kappa_and_confusion_of_perfect_and_of_opposite_labels() -> None:
    rows = [Labelled(id=level, text="", level=level, least=level) for level in Level]
    right = [Finding(level=level, score=level.rank) for level in Level]
    wrong = [Finding(level=level, score=level.rank) for level in reversed(Level)]
    assert kappa(rows, right) == pytest.approx(1.0)
    assert kappa(rows, wrong) < 0
    assert confusion(rows, right) == [[int(a == b) for b in range(5)] for a in range(5)]


@given(st.text(min_size=1, max_size=60), st.integers(0, 5))
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_of_any_text_is_a_text(name: str, text: str, seed: int) -> None:
    from random import Random

    changed = MUTATIONS[name](text, Random(seed))
    assert isinstance(changed, str)
    assert changed == MUTATIONS[name](text, Random(seed))
