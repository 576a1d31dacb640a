"""Check, split, stats and show: findings are right, splits leak nothing, no text gets out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from array import array
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import run
from hypothesis import given, settings
from hypothesis import strategies as st

from sanad_core.errors import ContentError, SanadError, UsageError
from sanad_core.risk import CONDITIONS
from sanad_data import spread as spreading
from sanad_data.alike import digest, near, plain, same, sketch, units
from sanad_data.checking import Finding, Requirements, check
from sanad_data.facts import pairs_of
from sanad_data.figures import as_json, gather
from sanad_data.language import language
from sanad_data.report import Checked, as_card, as_html, as_markdown, finding_blocks
from sanad_data.report import as_json as report_json
from sanad_data.showing import named, sample
from sanad_data.splitting import Unit, assign, named_shares, split
from sanad_data.spread import spread
from sanad_data.talks import Said, Talk, parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.data

CANARY = "CANARY-42"
WORDS = Path(__file__).read_text("utf-8").split()
SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def talk(number: int, **changes: Any) -> Talk:
    """A conversation like no other, sound in every way."""
    chance = Random(number)
    turns = [
        Said(role="person", text=f"i feel low because of {' '.join(chance.choices(WORDS, k=20))}"),
        Said(
            role="supporter", text=f"that sounds hard and {' '.join(chance.choices(WORDS, k=20))}"
        ),
    ]
    data: dict[str, Any] = {
        "id": f"t{number}",
        "turns": turns,
        "source": "ours",
        "licence": "MIT",
        "conditions": [CONDITIONS[number % 8]],
        "reviewed_by": ["R. Reader"],
        "crisis": False,
    }
    return Talk(**data | changes)


def write(path: Path, talks: Iterable[Talk]) -> Path:
    path.write_text("".join(f"{item.line()}\n" for item in talks), encoding="utf-8")
    return path


def found(wanted: Requirements, *files: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in check(gather(files, workers=1), wanted)}


def checked(*files: Path, name: str = "mine") -> Checked:
    gathered = gather(files, workers=1)
    return Checked(name=name, gathered=gathered, findings=tuple(check(gathered, Requirements())))


SMALL = Requirements(pairs=10)


def test_sound_conversations_meet_every_requirement(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", map(talk, range(100)))
    findings = found(SMALL, file)
    assert {name: f.status for name, f in findings.items() if f.status != "pass"} == {
        "pairs": "warn"
    }
    assert "leakage" not in findings
    assert found(Requirements(pairs=101), file)["pairs"].status == "fail"
    assert findings["pairs"].found == "100 pairs of a person's turn and its answer"


@pytest.mark.parametrize(
    ("name", "status", "changed"),
    [
        ("ids", "fail", {"id": "same"}),
        ("reviewed", "warn", {"reviewed_by": []}),
        ("diversity", "fail", {"conditions": []}),
        ("diversity", "warn", {"conditions": ["grief", "anger"]}),
        ("balance", "warn", {"conditions": []}),
        ("balance", "fail", {"conditions": ["grief"]}),
        ("length", "fail", {"turns": [Said(role="person", text="long " * 701)]}),
        ("duplicates", "fail", {"turns": [Said(role="person", text="One and  the same")]}),
        ("licences", "fail", {"licence": " "}),
        ("licences", "warn", {"licence": "CC-BY-NC-4.0"}),
        ("licences", "warn", {"licence": "for research only"}),
        ("crisis", "warn", {"crisis": None}),
    ],
)
def test_what_is_missing_is_found(
    tmp_path: Path, name: str, status: str, changed: dict[str, Any]
) -> None:
    file = write(tmp_path / "a.jsonl", (talk(number, **changed) for number in range(60)))
    finding = found(SMALL, file)[name]
    assert finding.status == status
    assert finding.fix


def test_the_share_of_reviewed_conversations_can_be_required(tmp_path: Path) -> None:
    half = (talk(n, reviewed_by=["A"] if n % 2 else []) for n in range(20))
    file = write(tmp_path / "a.jsonl", half)
    assert found(Requirements(reviewed=0.5), file)["reviewed"].status == "pass"
    assert found(Requirements(reviewed=0.6), file)["reviewed"].status == "fail"


def test_other_languages_are_found(tmp_path: Path) -> None:
    spanish = Said(role="person", text="Estoy muy triste y no puedo dormir por las noches")
    talks = [talk(n, turns=[spanish]) if n < 10 else talk(n) for n in range(40)]
    file = write(tmp_path / "a.jsonl", talks)
    assert found(SMALL, file)["language"].status == "fail"
    answered = [talk(1).turns[0], Said(role="supporter", text=spanish.text)]
    mixed = write(tmp_path / "b.jsonl", [talk(n, turns=answered) for n in range(40)])
    assert gather([mixed], workers=1).whole.languages == {"en+es": 40}
    both = Requirements(languages=frozenset({"en", "es"}))
    assert found(both, file, mixed)["language"].status == "pass"
    assert found(SMALL, mixed)["language"].status == "pass"
    english = Requirements(languages=frozenset({"en"}))
    assert found(english, mixed)["language"].status == "fail"
    assert language("ok") == language("1234567890 " * 9) == language("😀" * 60) == "und"


def test_near_duplicates_are_found_and_placed(tmp_path: Path) -> None:
    talks = [talk(number) for number in range(30)]
    close = talks[3].turns[1].text + " truly"
    turns = [talks[3].turns[0], Said(role="supporter", text=close)]
    file = write(tmp_path / "a.jsonl", [*talks, talk(99, turns=turns)])
    finding = found(SMALL, file)["near-duplicates"]
    assert finding.status == "warn"
    assert finding.places == ("a.jsonl:31 as a.jsonl:4",)


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("a person or thread", lambda item: talk(99, group=item.group)),
        ("the whole text", lambda item: talk(99, turns=item.turns)),
        (
            "the opening message",
            lambda item: talk(99, turns=[item.turns[0], Said(role="supporter", text="x " * 90)]),
        ),
        (
            "nearly all of the text",
            lambda item: talk(99, turns=[*item.turns, Said(role="person", text="thanks")]),
        ),
    ],
)
def test_leakage_between_files_fails(tmp_path: Path, what: str, other: Any) -> None:
    talks = [talk(number, group=f"g{number}") for number in range(20)]
    train = write(tmp_path / "train.jsonl", talks)
    clean = write(tmp_path / "clean.jsonl", [talk(98, group="g98")])
    assert found(SMALL, train, clean)["leakage"].status == "pass"
    test = write(tmp_path / "test.jsonl", [other(talks[5])])
    finding = found(SMALL, train, test)["leakage"]
    assert finding.status == "fail"
    assert f"1 share {what}" in finding.found
    assert "test.jsonl:1 as train.jsonl:6" in finding.places


def test_a_short_greeting_in_two_files_is_no_leak(tmp_path: Path) -> None:
    def greeted(number: int) -> Talk:
        return talk(number, turns=[Said(role="person", text="hi there"), *talk(number).turns])

    files = [write(tmp_path / f"{n}.jsonl", [greeted(n)]) for n in range(2)]
    assert found(SMALL, *files)["leakage"].status == "pass"


def test_wrong_lines_are_named_and_not_quoted(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    lines = [talk(1).line(), CANARY, f'{{"id": "x", "turns": "{CANARY}", "source": "s"}}', ""]
    file.write_text("\n".join(lines))
    done = run("data", "check", str(file), "--pairs", "1")
    assert done.returncode == 1
    said = done.stderr.decode()
    assert f"{file}:2:1: " in said
    assert f"{file}:3:1: turns: " in said
    assert CANARY not in said + done.stdout.decode()
    assert "| fail | lines | 2 lines are no conversation | none |" in done.stdout.decode()
    for command in (("stats",), ("split", "--out", str(tmp_path / "out")), ("show",)):
        done = run("data", *command, str(file))
        assert done.returncode == 1, command
        assert f"{file}:2:1: " in done.stderr.decode()
        assert CANARY not in done.stderr.decode() + done.stdout.decode()
    assert not (tmp_path / "out").exists()


def test_the_reports_are_whole_and_hold_no_text(tmp_path: Path) -> None:
    turns = [Said(role="person", text=f"{CANARY} and more"), Said(role="supporter", text=CANARY)]
    odd = [talk(n, source="a|b <script>", topic="$x_$ <b>", turns=turns) for n in range(3)]
    file = write(tmp_path / "ä$&.jsonl", [*map(talk, range(100)), *odd])
    out = tmp_path / "card"
    done = run("data", "check", str(file), "--pairs", "20", "--out", str(out), "--name", "<Mine>")
    assert done.returncode == 1, done.stderr
    card = (out / "card.md").read_text("utf-8")
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["license"] == "mit"
    assert yaml.safe_load(head)["size_categories"] == ["n<1K"]
    assert "| a\\|b &lt;script> | MIT | 3 |" in body
    page = (out / "report.html").read_text("utf-8")
    assert "<svg" in page
    assert "<title>&lt;Mine&gt;</title>" in page
    assert "<script" not in page
    assert 'src="http' not in page
    data = json.loads((out / "report.json").read_text())
    assert data["verdict"] == "fail"
    assert data["figures"]["conversations"] == 103
    assert len(data["files"][0]["sha256"]) == 64
    for text in (card, page, json.dumps(data), done.stdout.decode(), done.stderr.decode()):
        assert CANARY not in text
    assert not list(out.glob("*.part"))


def test_a_check_that_passes_exits_with_0_and_speaks_json(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", map(talk, range(100)))
    done = run("data", "check", str(file), "--pairs", "100", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "warn"


@pytest.mark.parametrize("lines", ["", "\n\n", "{}\n"])
def test_a_file_without_conversations_fails_without_a_trace(tmp_path: Path, lines: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(lines)
    empty = checked(file)
    assert empty.verdict == "fail"
    data = report_json(empty)
    assert "<svg" in as_html(empty, data)
    assert "# mine" in as_card(empty, data)
    assert "| fail | pairs | 0 pairs" in as_markdown(finding_blocks(empty.findings))


def test_missing_files_and_wrong_options(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.jsonl")
    for command in (("check",), ("stats",), ("split", "--out", str(tmp_path)), ("show",)):
        done = run("data", *command, gone)
        assert done.returncode == 1, command
        assert done.stderr.decode().startswith(f"{gone}: cannot be read: ")
        assert done.stderr.count(b"\n") == 1
    assert run("data", "check").returncode == 2
    assert run("data", "check", gone, "--pairs", "-1").returncode == 2
    assert b"did you mean 'grief'?" in run("data", "show", gone, "--condition", "greif").stderr


# --- figures


def test_figures_count_what_is_there(tmp_path: Path) -> None:
    turns = [
        Said(role="supporter", text="hello"),
        Said(role="person", text="one two"),
        Said(role="person", text="three"),
        Said(role="supporter", text="four five six seven"),
        Said(role="person", text="bye"),
    ]
    first = talk(1, turns=turns, group="g", topic="work", conditions=["grief"])
    assert pairs_of(first) == 1
    file = write(tmp_path / "a.jsonl", [first, talk(2, group="g", conditions=[], crisis=True)])
    data = as_json(gather([file], compared=False, workers=1).whole)
    assert (data["conversations"], data["pairs"], data["turns"], data["groups"]) == (2, 2, 7, 1)
    assert data["crisis"] == {"yes": 1, "no": 1, "nobody looked": 0}
    assert data["topics"] == {"work": 1}
    assert data["conditions"]["grief"] == 1
    assert data["conditions"]["none named"] == 1
    assert data["length"]["turns of a conversation"]["longest"] == 5
    done = run("data", "stats", str(file))
    assert done.returncode == 0, done.stderr
    assert "| ours | MIT | 2 |" in done.stdout.decode()
    assert json.loads(run("data", "stats", str(file), "--json").stdout) == data


# --- likeness


def test_digests_and_sketches_of_texts() -> None:
    assert digest(plain("I  feel\nLOW")) == digest(plain("i feel low"))
    assert digest("") == 0
    texts = [" ".join(Random(n).choices(WORDS, k=80)) for n in range(50)]
    texts += [f"{texts[7]} more", texts[8], "😀", ""]
    sketches = bytearray(b"".join(map(sketch, texts)))
    keys = array("Q", map(digest, texts))
    assert near(keys, sketches).tolist() == [[7, 50]]
    assert same(keys).tolist() == [[8, 51]]
    assert units(5, [same(array("Q", [1, 2, 1, 0, 0]))]) == [0, 1, 0, 2, 3]
    assert near(array("Q"), bytearray()).tolist() == same(array("Q")).tolist() == units(0, []) == []


@given(st.lists(st.integers(0, 5), max_size=40))
def test_same_keys_are_in_one_unit(keys: list[int]) -> None:
    found = units(len(keys), [same(array("Q", keys))])
    for one, key in zip(found, keys, strict=True):
        mates = [k for k, unit in zip(keys, found, strict=True) if unit == one]
        assert mates == ([key] * keys.count(key) if key else [0])


# --- splits


def read(path: Path) -> list[Talk]:
    return [line.talk for line in parsed(path) if line.talk is not None]


def test_a_split_keeps_groups_together_and_loses_nothing(tmp_path: Path) -> None:
    chance = Random(5)
    talks = [
        talk(n, group=f"g{chance.randrange(80)}" if n % 3 else "", topic="ü") for n in range(400)
    ]
    talks += [talk(500 + n, turns=talks[n].turns) for n in range(20)]
    file = write(tmp_path / "a.jsonl", talks)
    parts = split([file], tmp_path / "out", SHARES, 13, workers=1)
    got = {name: read(tmp_path / "out" / f"{name}.jsonl") for name in SHARES}
    assert sorted(t.id for part in got.values() for t in part) == sorted(t.id for t in talks)
    assert {t.id: t for part in got.values() for t in part} == {t.id: t for t in talks}
    files = [tmp_path / "out" / f"{name}.jsonl" for name in SHARES]
    assert found(SMALL, *files)["leakage"].status == "pass"
    for part in parts:
        assert part.conversations == len(got[part.name])
        assert part.conversations == pytest.approx(part.share * 420, abs=6)
        for count in part.conditions.values():
            assert count == pytest.approx(part.share * 420 / 8, abs=6)
    note = json.loads((tmp_path / "out" / "split.json").read_text())
    assert [part["name"] for part in note["splits"]] == list(SHARES)
    before = [path.read_bytes() for path in files]
    split([file], tmp_path / "out", SHARES, 13, workers=1)
    assert [path.read_bytes() for path in files] == before
    split([file], tmp_path / "out", SHARES, 14, workers=1)
    assert [path.read_bytes() for path in files] != before


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sets(st.sampled_from(CONDITIONS[:5]), max_size=2)),
        min_size=30,
        max_size=200,
    ),
    st.integers(0, 99),
)
def test_shares_are_kept_whatever_the_units_are(
    drawn: list[tuple[int, set[str]]], seed: int
) -> None:
    made = [Unit(rows=rows, conditions=dict.fromkeys(names, rows)) for rows, names in drawn]
    given_ = assign(made, SHARES, seed)
    assert given_ == assign(made, SHARES, seed)
    total = sum(unit.rows for unit in made)
    for name, share in SHARES.items():
        rows = sum(u.rows for u, where in zip(made, given_, strict=True) if where == name)
        # Each of six strata can be off by a unit.
        assert abs(rows - share * total) <= 6 * 9


def test_shares_are_read_strictly() -> None:
    assert named_shares(["a=0.5", "b=0.5"]) == {"a": 0.5, "b": 0.5}
    for wrong in (["a"], ["=1"], ["../a=1"], ["a=x"], ["a=0", "b=1"], ["a=0.5", "a=0.5"]):
        with pytest.raises(UsageError, match="--share takes NAME=SHARE, not"):
            named_shares(wrong)
    with pytest.raises(UsageError, match=r"make 1\.3; together they make 1"):
        named_shares(["a=0.5", "b=0.8"])
    with pytest.raises(UsageError, match="--share takes"):
        named_shares(["a=nan"])


def test_a_split_that_cannot_be(tmp_path: Path) -> None:
    file = write(tmp_path / "train.jsonl", (talk(n, group="one") for n in range(9)))
    with pytest.raises(ContentError, match=r"holds 1 persons.* too few for a split 'dev' of 0\.1"):
        split([file], tmp_path / "out", SHARES, 1, workers=1)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="would be overwritten; change --out"):
        split([file], tmp_path, SHARES, 1, workers=1)


def test_splits_of_other_names_are_removed_and_no_other_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    file = write(tmp_path / "a.jsonl", map(talk, range(50)))
    split([file], out, {"a": 0.5, "b": 0.5}, 1, workers=1)
    (out / "mine.jsonl").write_text("")
    split([out / "a.jsonl"], out, {"c": 0.5, "d": 0.5}, 1, workers=1)
    assert {path.name for path in out.iterdir()} == {
        "a.jsonl", "c.jsonl", "d.jsonl", "mine.jsonl", "split.json",
    }  # fmt: skip
    (out / "split.json").write_text('{"splits": [{"name": "../a"}, {"name": 3}, {"name": "d"}]}')
    split([file], out, {"a": 0.5, "b": 0.5}, 1, workers=1)
    assert file.exists()
    assert {"c.jsonl", "d.jsonl"} & {path.name for path in out.iterdir()} == {"c.jsonl"}


def test_the_split_command(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", map(talk, range(50)))
    out = tmp_path / "out"
    done = run("data", "split", str(file), "--out", str(out), "--share", "a=.5", "--share", "b=.5")
    assert done.returncode == 0, done.stderr
    assert f"a: 25 conversations of 25 persons, threads and single ones in {out}/a.jsonl" in (
        done.stdout.decode()
    )
    assert {path.name for path in out.iterdir()} == {"a.jsonl", "b.jsonl", "split.json"}
    assert run("data", "split", str(file), "--out", str(out), "--share", "a=2").returncode == 2


KILLED = """
import itertools, os, signal, sys
from pathlib import Path
from sanad_data import splitting

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def half(files, found=splitting.file_lines):
    yield from itertools.islice(found(files), 150)
    killed()

splitting.PATCHED = PATCH
splitting.split([Path(sys.argv[1])], Path(sys.argv[2]), {"a": 0.5, "b": 0.5}, 1, workers=1)
"""


@pytest.mark.parametrize(
    ("patched", "patch", "left"),
    [("file_lines", "half", set()), ("_note", "killed", {"a.jsonl", "b.jsonl"})],
)
def test_a_split_that_is_killed_leaves_no_half_of_one(
    tmp_path: Path, patched: str, patch: str, left: set[str]
) -> None:
    file = write(tmp_path / "talks.jsonl", map(talk, range(300)))
    out = tmp_path / "out"
    script = KILLED.replace("PATCHED", patched).replace("PATCH", patch)
    done = subprocess.run([sys.executable, "-c", script, file, out], check=False)
    assert done.returncode == -signal.SIGKILL
    whole = {path.name for path in out.iterdir() if path.suffix != ".part"}
    assert whole == left  # and no split.json, which says that they are all there
    split([file], out, {"a": 0.5, "b": 0.5}, 1, workers=1)
    assert {path.name for path in out.iterdir()} == {"a.jsonl", "b.jsonl", "split.json"}
    assert len(read(out / "a.jsonl")) == len(read(out / "b.jsonl")) == 150


# --- show


def test_show_prints_one_or_a_sample(tmp_path: Path) -> None:
    spoken = [Said(role="person", text="[bold]hi[/bold] \x1b[31mred"), talk(1).turns[1]]
    talks = [talk(n) for n in range(30)] + [talk(77, turns=spoken, topic="work", group="g7")]
    file = write(tmp_path / "a.jsonl", talks)
    done = run("data", "show", str(file), "t77")
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "[bold]hi[/bold]" in shown
    assert "\x1b" not in shown
    assert "ours · MIT · work · bipolar · group g7 · read by R. Reader · no crisis" in " ".join(
        shown.split()
    )
    assert "\nperson\n" in shown
    assert "\nsupporter\n" in shown
    assert run("data", "show", str(file)).stdout.count(b"\nperson\n") == 3
    missing = run("data", "show", str(file), "t78")
    assert missing.returncode == 1
    assert b"holds no conversation 't78'" in missing.stderr
    none = run("data", "show", str(file), "--condition", "grief")
    assert none.returncode == 1
    assert b"holds no conversation about grief" in none.stderr


def test_a_sample_is_seeded_and_fair(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", (talk(n) for n in range(20)))
    assert named(file, "t3").id == "t3"
    draws = [[t.id for t in sample(file, 5, seed)[0]] for seed in range(60)]
    assert draws[0] == [t.id for t in sample(file, 5, 0)[0]]
    assert all(len(set(draw)) == 5 and draw == sorted(draw, key=lambda i: int(i[1:]))
               for draw in draws)  # fmt: skip
    assert {ident for draw in draws for ident in draw} == {f"t{n}" for n in range(20)}
    talks, _ = sample(file, 9, 1, CONDITIONS[2])
    assert {t.conditions[0] for t in talks} == {CONDITIONS[2]}
    assert len(sample(file, 99, 1)[0]) == 20


# --- work over all cores


def measured(batch: list[bytes]) -> list[tuple[int, int]]:
    return [(len(item), os.getpid()) for item in batch]


def stopped(batch: list[bytes]) -> list[int]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def test_work_is_spread_over_processes_and_comes_back_in_order() -> None:
    items = [b"x" * (n % 97) for n in range(3000)]
    done = list(spread(measured, items, workers=2))
    assert [length for length, _ in done] == [len(item) for item in items]
    workers = {worker for _, worker in done}
    assert os.getpid() not in workers
    assert 1 <= len(workers) <= 2
    # A pool for one batch, or for one worker, is not worth its start.
    assert {worker for _, worker in spread(measured, items[:100], workers=2)} == {os.getpid()}
    assert {worker for _, worker in spread(measured, items, workers=1)} == {os.getpid()}
    assert list(spread(measured, [], workers=2)) == []
    assert spreading.cores() >= 1


def test_only_what_is_in_work_is_in_memory() -> None:
    taken = 0

    def lines() -> Iterable[bytes]:
        nonlocal taken
        for _ in range(100_000):
            taken += 1
            yield b"x"

    running = spread(measured, lines(), workers=2)
    next(running)
    assert taken <= 8 * spreading.BATCH
    running.close()  # type: ignore[attr-defined]
    long = [b"x" * (spreading.BYTES // 2)] * 4
    assert [len(batch) for batch in spreading._batches(long, spreading._weight)] == [2, 2]


def test_a_worker_that_is_killed_is_one_line() -> None:
    with pytest.raises(SanadError, match="one of 2 workers was ended from outside"):
        list(spread(stopped, [b"x"] * 1000, workers=2))


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("""
import os, time
from pathlib import Path
from sanad_data.spread import spread
def work(batch):
    Path(__file__).with_name(f"{os.getpid()}.pid").touch()
    time.sleep(300)
    return batch
if __name__ == "__main__":
    list(spread(work, [b"x"] * 1000, workers=2))
""")
    parent = subprocess.Popen([sys.executable, str(program)])
    began = time.monotonic()
    while len(list(tmp_path.glob("*.pid"))) < 2 and time.monotonic() < began + 60:
        time.sleep(0.05)
    workers = [int(path.stem) for path in tmp_path.glob("*.pid")]
    assert len(workers) == 2
    parent.kill()
    parent.wait()
    while any(map(alive, workers)) and time.monotonic() < began + 90:
        time.sleep(0.05)
    assert not any(map(alive, workers))


def alive(process: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_check_over_processes_finds_the_same(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", (talk(n % 590) for n in range(600)))
    alone = run("data", "check", str(file), "--workers", "1", "--json")
    spread_ = run("data", "check", str(file), "--workers", "2", "--json")
    assert alone.returncode == spread_.returncode == 1
    assert json.loads(alone.stdout) == json.loads(spread_.stdout)
    assert spread_.stderr == b""


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "host:port"])
def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path, address: str) -> None:
    file = write(tmp_path / "a.jsonl", [talk(1)])
    done = run("data", "check", str(file), "--ray", address)
    said = done.stderr.decode()
    assert said.count("\n") == 1
    assert done.returncode in (1, 2)
    assert f"no Ray cluster is at '{address}'" in said or "pip install 'sanad-core[ray]'" in said
