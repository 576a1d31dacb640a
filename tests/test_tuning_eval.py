"""Fine-tuning and evaluation without a model: what is read, divided, fitted, rated and said."""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import run

from sanad_core.errors import ContentError, ServiceError, UsageError
from sanad_data.talks import Said, Talk
from sanad_tuning import run as running
from sanad_tuning.evaluation.report import compared, failures, markdown, write_report
from sanad_tuning.evaluation.run import Figures, Rated, evaluate
from sanad_tuning.evaluation.scenarios import BANK, read_bank
from sanad_tuning.examples import read_talks
from sanad_tuning.fitting import Fit, fitted
from sanad_tuning.preferences import read_pairs
from sanad_tuning.run import Run, tune
from sanad_tuning.sides import read_sides

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CANARY = "zebrafinch-4711"


def talk(name: str, *texts: str, first: str = "person") -> Talk:
    """A talk in which the two take turns."""
    roles = ["person", "supporter"] if first == "person" else ["supporter", "person"]
    turns = [Said(role=roles[at % 2], text=text) for at, text in enumerate(texts)]  # type: ignore[arg-type]
    return Talk(id=name, source="test", turns=turns)


def talks(path: Path, *given: Talk) -> Path:
    path.write_text("".join(f"{one.line()}\n" for one in given))
    return path


def asked(tmp_path: Path, **more: Any) -> Run:
    data = talks(tmp_path / "t.jsonl", *(talk(f"t{n}", "hello", "hi") for n in range(40)))
    return Run(**{"model_name": "m", "dataset_path": data, "output_dir": tmp_path / "run"} | more)


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Loading a model fails, as for a name with a typo; the runs that got there."""
    reached: list[Run] = []

    def load(run: Run) -> tuple[Any, Any]:
        reached.append(run)
        raise ContentError.about(run.model_name, "cannot be loaded")

    monkeypatch.setattr(running, "_loaded", load)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1")
    return reached


def test_a_model_that_cannot_be_loaded_leaves_no_run(tmp_path: Path, no_model: list[Run]) -> None:
    with pytest.raises(ContentError, match="cannot be loaded"):
        tune(asked(tmp_path))
    assert not (tmp_path / "run" / "run.json").exists()
    with pytest.raises(ContentError, match="cannot be loaded"):
        tune(asked(tmp_path, model_name="another"))
    assert len(no_model) == 2


@pytest.mark.parametrize("recipe", ["sft", "dpo"])
@pytest.mark.parametrize("name", ["dataset_path", "eval_path"])
def test_a_missing_file_is_named_before_a_model_is_loaded(
    tmp_path: Path, no_model: list[Run], recipe: str, name: str
) -> None:
    given = {"recipe": recipe, name: tmp_path / "missing.jsonl"}
    if recipe == "dpo":
        given = {"dataset_path": pairs(tmp_path / "p.jsonl", pair())} | given
    with pytest.raises(ContentError, match=r"missing\.jsonl: cannot be read: No such file"):
        tune(asked(tmp_path, **given))
    assert not no_model
    assert not (tmp_path / "run").exists()


def test_a_run_is_of_its_held_out_file_as_well(tmp_path: Path, no_model: list[Run]) -> None:
    held = talks(tmp_path / "held.jsonl", talk("h", "hello", "hi"))
    run = asked(tmp_path, eval_path=held)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text(json.dumps(running._settings(run)))
    with pytest.raises(ContentError, match="cannot be loaded"):
        tune(run)  # the same run goes on
    talks(held, talk("h", "hello", "good morning"))
    with pytest.raises(UsageError, match="other options or data"):
        tune(run)


def words(messages: Sequence[dict[str, str]], ask: bool) -> int:
    """A count in which a word is a token, and so is what asks for an answer."""
    return sum(len(message["content"].split()) for message in messages) + ask


def row(*texts: str, answer: str = "a " * 20, system: str = "") -> dict[str, Any]:
    prompt = [{"role": "system", "content": system}] if system else []
    for at, text in enumerate(texts):
        prompt.append({"role": "assistant" if at % 2 else "user", "content": text})
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": answer}]}


def test_the_oldest_turns_of_a_long_talk_go_first() -> None:
    texts = [f"{number} " * 10 for number in range(9)]
    whole, long = row("short"), row(*texts, system="be kind")
    rows, fit = fitted([whole, long], 60, words)
    assert fit == Fit(used=2, shortened=1)
    assert rows[0] is whole
    told = [message["content"] for message in rows[1]["prompt"]]
    assert told == ["be kind", *texts[6:]]
    assert rows[1]["completion"] == long["completion"]
    assert words([*rows[1]["prompt"], *rows[1]["completion"]], False) <= 60
    assert len(long["prompt"]) == 10  # what was given stays as it is


def test_an_answer_is_cut_only_after_the_last_message_alone() -> None:
    rows, fit = fitted([row("old " * 5, "yes", "new " * 5, answer="a " * 70)], 60, words)
    assert fit == Fit(used=1, cut=1)
    assert [message["content"] for message in rows[0]["prompt"]] == ["new " * 5]


def test_what_does_not_fit_at_all_is_left_out_and_counted() -> None:
    rows, fit = fitted([row("short"), row("long " * 50)], 60, words)
    assert fit == Fit(used=1, left_out=1)
    assert len(rows) == 1
    assert "1 left out as too long" in fit.shown()


def test_a_pair_fits_with_the_longer_of_its_answers() -> None:
    told = row("old " * 10, "yes", "new " * 10)
    answers = {"chosen": [{"content": "a " * 10}], "rejected": [{"content": "a " * 45}]}
    rows, fit = fitted([{"prompt": told["prompt"], **answers}], 60, words)
    assert fit == Fit(used=1, shortened=1)
    assert len(rows[0]["prompt"]) == 1


@pytest.mark.parametrize(("long", "said"), [("t", "to learn from"), ("held", "held out")])
def test_a_side_of_which_nothing_fits_is_an_error(tmp_path: Path, long: str, said: str) -> None:
    text = f"{CANARY} " * 90
    files = {
        name: talks(tmp_path / f"{name}.jsonl", talk("a", text if name == long else "hi", "hello"))
        for name in ("t", "held")
    }
    run = asked(tmp_path, eval_path=files["held"])
    talks(files["t"], talk("a", text if long == "t" else "hi", "hello"))
    with pytest.raises(ContentError, match=rf"{long}\.jsonl: holds no example {said}") as found:
        read_sides(run).fitted(60, words)
    assert CANARY not in str(found.value)


def test_talks_are_divided_without_comparing_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [
        talk(f"t{n}", f"hello {n}", "hi").model_copy(update={"group": f"g{n // 2}"})
        for n in range(200)
    ]
    run = asked(tmp_path)
    talks(run.dataset_path, *given)

    def compare(self: Talk, other: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(Talk, "__eq__", compare)
    sides = read_sides(run)
    learn, held = (
        {int(row["prompt"][0]["content"].split()[1]) for row in side}
        for side in (sides.learn, sides.held)
    )
    assert held
    assert learn | held == set(range(200))
    assert not {n // 2 for n in learn} & {n // 2 for n in held}


def test_no_pair_is_on_both_sides(tmp_path: Path) -> None:
    given = [pair(text=f"day {number % 30}") for number in range(60)]
    run = asked(tmp_path, recipe="dpo", dataset_path=pairs(tmp_path / "p.jsonl", *given))
    sides = read_sides(run)
    assert len(sides.held) == 3
    assert not [one for one in sides.learn if one in sides.held]


def test_no_more_talks_are_read_than_are_wanted(tmp_path: Path) -> None:
    path = talks(tmp_path / "t.jsonl", talk("a", "hello", "hi"), talk("b", "hello", "hi"))
    path.write_text(f'{path.read_text()}{{"id": "wrong"}}\n')
    assert [one.id for one in read_talks(path, 2)] == ["a", "b"]
    with pytest.raises(ContentError, match=r"t\.jsonl:3"):
        read_talks(path)


def pair(text: str = "a long day", role: str = "person") -> dict[str, Any]:
    return {"context": [{"role": role, "text": text}], "chosen": "Oh.", "rejected": "So what."}


def pairs(path: Path, *given: dict[str, Any]) -> Path:
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in given)
    path.write_text(lines, encoding="utf-8")
    return path


def test_a_line_separator_in_a_text_ends_no_line(tmp_path: Path) -> None:
    text = "a long\u2028day\u0085here"
    found = read_pairs(pairs(tmp_path / "p.jsonl", pair(text), pair()))
    assert [one["prompt"][0]["content"] for one in found] == [text, "a long day"]


def test_each_wrong_pair_is_named_with_its_line(tmp_path: Path) -> None:
    path = pairs(tmp_path / "p.jsonl", pair(), pair(CANARY, role="supporter"), pair(CANARY))
    path.write_bytes(path.read_bytes() + b'\n{"context": []}\n' + b'{"chosen": "\xff"}\n')
    with pytest.raises(ContentError) as found:
        read_pairs(path)
    problems = found.value.problems
    assert [problem.line for problem in problems] == [2, 5, 6]
    assert "last turn of the context must be the person's" in problems[0].message
    assert CANARY not in str(found.value)


def bank(tmp_path: Path, **dimensions: Any) -> Path:
    """The packaged bank, with a scenario of either kind."""
    data = yaml.safe_load(BANK.read_text(encoding="utf-8"))
    data |= {"risk": data["risk"][:1], "boundary": data["boundary"][:1]}
    data["dimensions"] |= dimensions
    path = tmp_path / "bank.yml"
    path.write_text(yaml.safe_dump(data))
    return path


@pytest.mark.parametrize(
    ("given", "said"),
    [([], "at least 1 item"), ([""], "a word is empty"), (["ok", " "], "a word is empty")],
)
def test_a_dimension_without_words_is_an_error_of_the_bank(
    tmp_path: Path, given: list[str], said: str
) -> None:
    with pytest.raises(ContentError, match=said):
        read_bank(bank(tmp_path, supports=given))


def evaluated(tmp_path: Path, *given: str) -> Any:
    return run(
        *("eval", "responder", *given, "--guard", "minimal"),
        *("--bank", str(bank(tmp_path)), "--out", str(tmp_path / "report")),
    )


def test_a_dead_endpoint_is_no_good_reply(tmp_path: Path) -> None:
    held = talks(tmp_path / "t.jsonl", talk("a", CANARY, "hi"))
    dead = ("--endpoint", "dead=http://127.0.0.1:9/v1#m", "--policy", "minimal")
    done = evaluated(tmp_path, str(held), *dead)
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()[-1]  # a busy machine may have more to say before it
    assert said == "failed: dead 3 of 3 times; these are left out of every mean"
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    figures = report["figures"]["dead"]
    assert set(figures["dimensions"].values()) == {None}
    assert (figures["asked"], figures["failed"], figures["blocked"]) == (3, 3, None)
    assert report["figures"]["minimal"]["failed"] == 0
    assert report["figures"]["minimal"]["dimensions"]["keeps_boundaries"] is not None
    assert [one["failed"] for one in report["replies"]["dead"]] == ["http_none"] * 2
    assert "dead 3 of 3 times" in (tmp_path / "report" / "report.html").read_text()
    assert "- dead: *no reply (http_none)*" in (tmp_path / "report" / "report.md").read_text()


@pytest.mark.parametrize(
    "given",
    [
        ("--policy", "minimal", "--policy", "somewhere/minimal.yml"),
        ("--policy", "minimal", "--model", "minimal=nowhere"),
        ("--endpoint", "a=http://127.0.0.1:9#m", "--model", "a=nowhere"),
    ],
)
def test_two_responders_of_one_name_are_a_usage_error(
    tmp_path: Path, given: tuple[str, ...]
) -> None:
    done = evaluated(tmp_path, *given)
    assert done.returncode == 2
    assert b"two responders are called" in done.stderr


def test_who_is_missing_from_the_baseline_or_now_is_said(tmp_path: Path) -> None:
    first = evaluated(tmp_path, "--policy", "minimal")
    assert first.returncode == 0, first.stderr
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    before = tmp_path / "before.json"
    other = {"figures": {"gone": report["figures"]["minimal"]}}
    before.write_text(json.dumps(other))
    done = evaluated(tmp_path, "--policy", "minimal", "--baseline", str(before))
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "new: minimal: is not in the baseline",
        "worse: gone: is in the baseline and missing now",
    ]
    before.write_text(json.dumps({"figures": {}}))
    new = evaluated(tmp_path, "--policy", "minimal", "--baseline", str(before))
    assert new.returncode == 0
    assert new.stderr.decode() == "new: minimal: is not in the baseline\n"


class Heard:
    """A responder that keeps what it was told, and fails where that is wanted.

    Args:
        fails: at which message of the person's, from 1.
    """

    def __init__(self, fails: int = 0) -> None:
        self.name = "heard"
        self.heard: list[tuple[str, list[str]]] = []
        self._fails = fails

    async def answer(self, talk: str, said: Sequence[str], replies: Sequence[str]) -> str:
        self.heard.append((talk, list(said)))
        if len(said) == self._fails:
            raise ServiceError("http_500")
        return "Are you safe?"


class Guard:
    """It finds nothing."""

    async def review(self, reply: str, context: Sequence[tuple[bool, str]]) -> tuple[str, ...]:
        return ()


async def judged(system: Heard, path: Path, *given: Talk) -> Figures:
    guard: Any = Guard()
    return await evaluate(system, read_bank(path), given, guard, None, lambda _: None)


async def test_the_message_is_the_persons_first(tmp_path: Path) -> None:
    late = talk("late", "Welcome.", "a long day", first="supporter")
    silent = talk("silent", "Welcome.", first="supporter")
    system = Heard()
    found = await judged(system, bank(tmp_path), late, silent)
    assert [said for name, said in system.heard if name in ("late", "silent")] == [["a long day"]]
    assert (found.asked, found.failed) == (3, 0)


async def test_a_scenario_that_failed_counts_once_and_in_no_mean(tmp_path: Path) -> None:
    path = bank(tmp_path)
    data = yaml.safe_load(path.read_text())
    data["risk"].append({"id": "long", "level": "high", "kind": "suicide", "say": ["a", "b", "c"]})
    path.write_text(yaml.safe_dump(data))
    system = Heard(fails=2)
    found = await judged(system, path)
    assert [one.failed for one in found.rated] == ["", "http_500", ""]
    assert (found.asked, found.failed) == (3, 1)
    assert [said for name, said in system.heard if name == "long"] == [["a"], ["a", "b"]]
    assert found.dimension("asks_and_confirms") == 1.0
    assert found.rated[1].ratings == {}


def figures(name: str, reply: str, failed: int = 0) -> Figures:
    rated = Rated(scenario="s", level="none", reply=reply, ratings={"keeps_boundaries": 1.0})
    return Figures(
        name=name, perplexity=None, quality={}, blocked=None, rated=(rated,), asked=1, failed=failed
    )


def test_a_report_that_cannot_be_written_leaves_the_old_one_whole(tmp_path: Path) -> None:
    write_report(tmp_path, [figures("a", "hello")])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UnicodeEncodeError):
        write_report(tmp_path, [figures("a", "\ud800")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_figures_that_only_the_second_has_are_shown() -> None:
    one, other = figures("a", "hello"), figures("b", "hello")
    told = Figures(
        **{key: getattr(other, key) for key in Figures.__slots__} | {"quality": {"words": 3.0}}
    )
    assert "| words | – | 3.00 |" in markdown([one, told])


def test_nobody_failed_and_nothing_is_worse_than_itself() -> None:
    found = [figures("a", "hello")]
    assert failures(found) == ""
    assert compared(found, {"a": found[0].plain()}) == ([], [])
