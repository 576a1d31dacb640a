"""`sanad data clean`: what is mended, removed, taken out, marked and hidden; and killed runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run

from sanad_data import spread
from sanad_data.cleaning import Rules, removed_of
from sanad_data.cleaning import run as clean
from sanad_data.cleaning_report import reports_of
from sanad_data.mending import mended
from sanad_data.review import Judging
from sanad_data.talks import parsed, parsed_line
from sanad_data.talks import written as write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.data
CANARY = "CANARY-7f3a"
ASKED = "I feel very low since my father died and I cannot sleep at night any more."
ANSWERED = "I am sorry for your loss. Grief often takes sleep away. What do the evenings look like?"
QUIET = Judging(guard=False, scrub=False)


def talk(name: str, *turns: str, **more: Any) -> dict[str, Any]:
    roles = ("person", "supporter")
    said = [{"role": roles[n % 2], "text": text} for n, text in enumerate(turns)]
    return {"id": name, "source": "test", "turns": said} | more


def written(path: Path, talks: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for t in talks))
    return path


def kept(path: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in map(json.loads, path.read_text().splitlines())}


def removed(path: Path) -> dict[str, str]:
    rows = map(json.loads, removed_of(path).read_text().splitlines())
    return {row["id"]: row["reason"] for row in rows}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("donâ€™t know", "don’t know"),
        ("I&amp;#39;m &lt;3 &amp;amp; fine", "I'm <3 & fine"),
        ("<p>One.</p><p>Two <b>three</b></p>", "One.\n\nTwo three"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<script>alert(1)</script>x<style>p {}</style>", "x"),
        ("i <3 you, <my brother> too, 1 < 2 > 0", "i <3 you, <my brother> too, 1 < 2 > 0"),
        ("a\u200b\ufeff b\u00a0\u00a0c \r\n\r\n\r\n\r\nd", "a b c\n\nd"),
        ("&amp;#x200B;\n\nhello", "hello"),
        ("مرحبا\u200f بك", "مرحبا بك"),
        ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
        ("fine as it is", "fine as it is"),
    ],
)
def test_texts_are_mended(text: str, expected: str) -> None:
    assert mended(text) == expected
    assert mended(mended(text)) == mended(text)


def test_conversations_are_removed_by_rule(tmp_path: Path) -> None:
    near = ASKED.replace("very", "really")
    spanish = "Me siento muy triste desde que murió mi padre y no puedo dormir por las noches."
    long = " ".join([ASKED, ANSWERED] * 8)
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("first", ASKED, ANSWERED),
            talk("same", ASKED.upper(), ANSWERED),
            talk(
                "other answer", ASKED, "What would help you most tonight, do you think, right now?"
            ),
            talk("long", f"{long} one", f"{long} two"),
            talk("near", f"{long} one", f"{long} two three"),
            talk("spanish", spanish, "Lo siento mucho. ¿Cómo son las noches para usted en casa?"),
            talk("short", "hi", ANSWERED),
            talk("placeholder", "[deleted]", ANSWERED),
            talk("noise", "#" * 60 + " a b c", ANSWERED),
            talk("over", "help " * 20, ANSWERED),
            talk("labelled", near + " I wrote this to nobody at all.", labels={"stress": "1"}),
            talk("empty", "\u200b<br>", ANSWERED),
        ],
    )
    out = tmp_path / "out.jsonl"
    done = clean([file], out, Rules(judging=QUIET), workers=1)
    assert list(kept(out)) == ["first", "other answer", "long", "labelled"]
    assert removed(out) == {
        "same": "duplicate",
        "near": "near duplicate",
        "spanish": "language",
        "short": "too short",
        "placeholder": "placeholder",
        "noise": "noise",
        "over": "noise",
        "empty": "no person speaks",
    }
    assert done.talks == done.kept + done.removed.total() == 12


def test_an_unsafe_answer_is_taken_out_and_the_turns_around_it_joined(tmp_path: Path) -> None:
    unsafe = "You have depression. Stop taking your medication today, and just get over it."
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("all", ASKED, unsafe),
            talk("one", ASKED, unsafe, "Really? I hoped for more than that.", ANSWERED),
        ],
    )
    out = tmp_path / "out.jsonl"
    done = clean([file], out, Rules(judging=Judging(scrub=False)), workers=1)
    turns = kept(out)["one"]["turns"]
    assert [turn["role"] for turn in turns] == ["person", "supporter"]
    assert turns[0]["text"] == f"{ASKED}\nReally? I hoped for more than that."
    assert removed(out) == {"all": "no safe answer"}
    assert done.turns.total() == 2


def test_a_crisis_is_marked(tmp_path: Path) -> None:
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("danger", "I am going to kill myself tonight, I have the pills here", ANSWERED),
            talk("told", "My exam is on Friday and I am a bit nervous", ANSWERED, crisis=True),
            talk("calm", "My exam is on Monday and I am a bit nervous", ANSWERED),
        ],
    )
    out = tmp_path / "out.jsonl"
    done = clean([file], out, Rules(judging=QUIET), workers=1)
    marked = {name: row["crisis"] for name, row in kept(out).items()}
    assert marked == {"danger": True, "told": True, "calm": False}
    assert done.crisis == 2


def test_personal_data_is_hidden_in_what_is_kept_and_in_the_report(tmp_path: Path) -> None:
    asked = f"my name is Priya Mehta, ring 07700 900482. {ASKED}"
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("a", asked, f"Thank you, Priya. {ANSWERED}"),
            talk("b", "ring 07700 900483", ANSWERED),
            talk("c", "7" * 50 + " k.wilder@proton.me Xiomara", ANSWERED),
        ],
    )
    out = tmp_path / "out.jsonl"
    done = run("data", "clean", str(file), "--out", str(out), "--keep-unsafe", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert kept(out)["a"]["turns"][1]["text"].startswith("Thank you, [PERSON_1]. I am")
    markdown, data = (path.read_text() for path in reports_of(out))
    everything = markdown + data + out.read_text() + removed_of(out).read_text()
    everything += (done.stdout + done.stderr).decode()
    for secret in ("Priya", "Mehta", "900482", "900483", "wilder", "Xiomara"):
        assert secret not in everything
    counts = json.loads(data)
    assert counts["talks"] == counts["kept"] + sum(counts["removed"].values()) == 3
    assert counts["pseudonyms"] == {"PERSON": 2, "PHONE": 2} | counts["pseudonyms"]
    assert "noise" in counts["samples"]


def test_names_in_the_metadata_are_hidden_as_in_the_turns(tmp_path: Path) -> None:
    asked = f"my name is Priya Mehta. {ASKED}"
    more = {"topic": "about Priya Mehta", "source": "Priya Mehta session 3.txt"}
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("a", asked, ANSWERED, group="g1", labels={"of": "Priya Mehta"}, **more),
            talk("b", "My exam is on Monday and I am nervous", ANSWERED, group="g1"),
            talk("c", "My rent is due on Friday and I have no money", ANSWERED, group="g2"),
        ],
    )
    groups = []
    for out in (tmp_path / "one.jsonl", tmp_path / "two.jsonl"):
        clean([file], out, Rules(judging=Judging(guard=False)), workers=1)
        rows = kept(out)
        assert rows["a"]["topic"] == "about [PERSON_1]"
        assert rows["a"]["source"] == "[PERSON_1] session 3.txt"
        assert rows["a"]["labels"] == {"of": "[PERSON_1]"}
        assert rows["b"]["source"] == "test"
        assert rows["a"]["group"] == rows["b"]["group"] != rows["c"]["group"]
        groups.append({row["group"] for row in rows.values()})
    assert not groups[0] & {"g1", "g2"}
    assert not groups[0] & groups[1]  # another run has another key


def test_workers_give_a_group_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spread, "BATCH", 10)
    file = many(tmp_path / "in.jsonl", 60, group="g")
    out = tmp_path / "out.jsonl"
    clean([file], out, Rules(judging=Judging(guard=False)), workers=2)
    assert len({row["group"] for row in kept(out).values()} - {"g"}) == 1


ANSWER = (
    "Panic attacks are frightening, but they pass. Breathe out slowly, name five things that you "
    "see, and speak to your doctor if they come often or keep you from what you like to do."
)
QUESTIONS = [
    "How can I stop having panic attacks in the middle of the night without taking pills?",
    "What should I do when my heart races on a crowded bus and I cannot get off it?",
    "Why do I shake and sweat before every exam although I have studied for many weeks?",
    "My daughter screams and cannot breathe when we leave her at school; what is this?",
    "Is it normal that I feel as if I am dying whenever I sit in an aeroplane or a lift?",
    "Can coffee or smoking bring on the fear that overcomes me nearly each morning at work?",
    "Why do I shake and sweat before every exam although I have studied for many long weeks?",
]


@pytest.mark.parametrize("times", [1, 5])
def test_near_copies_are_found_among_questions_with_one_answer(tmp_path: Path, times: int) -> None:
    talks = [talk(f"q{n}", asked, " ".join([ANSWER] * times)) for n, asked in enumerate(QUESTIONS)]
    out = tmp_path / "out.jsonl"
    clean([written(tmp_path / "in.jsonl", talks)], out, Rules(judging=QUIET), workers=1)
    assert removed(out) == {"q6": "near duplicate"}


def test_short_turns_do_not_cost_a_conversation(tmp_path: Path) -> None:
    file = written(
        tmp_path / "in.jsonl",
        [
            talk("none", ASKED, ANSWERED, "None", "And in the mornings?", "?", ANSWERED),
            talk("test", f"{ASKED} Again.", "...", "I wait for the results.", ANSWERED),
            talk("gone", f"{ASKED} Still.", ANSWERED, "[deleted]", "And in the mornings?"),
            talk("media", f"{ASKED} Here.", ANSWERED, "<Media omitted>", "And in the mornings?"),
            talk("nothing", f"{ASKED} There.", "lorem ipsum dolor sit amet", "So I said.", "none"),
        ],
    )
    out = tmp_path / "out.jsonl"
    clean([file], out, Rules(judging=QUIET), workers=1)
    assert list(kept(out)) == ["none", "test"]
    assert removed(out) == dict.fromkeys(("gone", "media", "nothing"), "placeholder")


def test_no_error_quotes_a_name(tmp_path: Path) -> None:
    sound = talk("a", ASKED, ANSWERED)
    wrong: list[dict[str, Any]] = [
        {"id": {CANARY: 1}}, {"labels": {CANARY: 1}}, {"labels": {f"a: {CANARY}": 1}},
        {"labels": CANARY}, {"group": [CANARY]}, {"reviewed_by": CANARY}, {CANARY: "x"},
        {"crisis": CANARY}, {"conditions": CANARY}, {"conditions": [CANARY]}, {"topic": [CANARY]},
        {"turns": [{"role": "person", "text": "x", CANARY: "x"}]}, {"licence": [CANARY]},
        {"turns": [{"role": CANARY, "text": "x"}]}, {"turns": CANARY},
    ]  # fmt: skip
    for change in wrong:
        line = parsed_line(1, json.dumps(sound | change).encode())
        assert line is not None
        assert line.talk is None
        assert line.problem
        assert CANARY not in line.problem
    line = parsed_line(1, b'{"who": 1}')
    assert line is not None
    assert "key" in line.problem


def test_wrong_lines_are_named_and_their_text_is_not(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    lines = [json.dumps(talk("a", ASKED, ANSWERED)), CANARY, f'{{"turns": "{CANARY}"}}', ""]
    file.write_bytes("\r\n".join(lines).encode() + b'{"id": "\xff"}\n')
    out = tmp_path / "out.jsonl"
    done = run("data", "clean", str(file), "--out", str(out), "--workers", "1")
    assert done.returncode == 1
    assert done.stderr.count(b"in.jsonl:") == 3
    everything = done.stdout + done.stderr + b"".join(p.read_bytes() for p in reports_of(out))
    assert CANARY.encode() not in everything + removed_of(out).read_bytes()
    assert list(kept(out)) == ["a"]


@pytest.mark.parametrize(
    ("files", "out", "code", "said"),
    [
        (["nowhere.jsonl"], "out.jsonl", 1, b"cannot be read"),
        (["in.jsonl"], "in.jsonl", 2, b"would write over"),
        (["in.jsonl", "--policy", "nonsense"], "out.jsonl", 1, b"no packaged policy"),
        (["nowhere.jsonl", "--policy", "nonsense"], "out.jsonl", 1, b"no packaged policy"),
        (["nowhere.jsonl", "--policy", "nonsense.yml"], "out.jsonl", 1, b"nonsense.yml"),
        (["in.jsonl", "--language", "en", "--workers", "0"], "out.jsonl", 2, b"--workers"),
        (["nowhere.jsonl", "--language", "english"], "out.jsonl", 2, b"'english' is no code"),
        (["nowhere.jsonl", "--workers", "2", "--ray", "auto"], "out.jsonl", 2, b"one of them"),
        (["nowhere.jsonl"], "folder", 2, b"is a folder"),
        (["out.jsonl.report.md"], "out.jsonl", 2, b"would write over"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, files: list[str], out: str, code: int, said: bytes
) -> None:
    (tmp_path / "folder").mkdir()
    written(tmp_path / "in.jsonl", [talk("a", ASKED, ANSWERED)])
    before = (tmp_path / "in.jsonl").read_bytes()
    done = run("data", "clean", *files, "--out", out, cwd=tmp_path)
    assert (done.returncode, said in done.stderr) == (code, True)
    assert not (tmp_path / "out.jsonl").exists()
    assert (tmp_path / "in.jsonl").read_bytes() == before


def test_a_missing_library_is_told_before_anything_is_read(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['ftfy'] = None\n"
        "sys.argv = ['sanad', 'data', 'clean', 'nowhere.jsonl', '--out', 'out.jsonl']\n"
        "from sanad_core.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 1
    assert b"'data clean' needs an extra that is not installed" in done.stderr
    assert not list(tmp_path.iterdir())


def test_what_stood_there_before_never_stands_beside_a_new_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "in.jsonl", [talk("a", ASKED, ANSWERED)])
    out = tmp_path / "out.jsonl"
    clean([file], out, Rules(judging=QUIET), workers=1)
    seen = []

    def looking(path: Path, target: Path, found: Any = Path.replace) -> Any:
        seen.append((target.name, sorted(p.name for p in tmp_path.glob("out.jsonl*"))))
        return found(path, target)

    monkeypatch.setattr(Path, "replace", looking)
    clean([file], out, Rules(judging=QUIET), workers=1)
    names = [name for name, _ in seen]
    assert names[0] == removed_of(out).name
    assert names[-1] == out.name
    assert "out.jsonl" not in seen[0][1]
    assert not {path.name for path in reports_of(out)} & set(seen[0][1])


def test_a_part_goes_where_a_file_cannot_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError), write_whole(tmp_path / "out.jsonl") as file:  # noqa: PT011
        file.write("x")
    assert not list(tmp_path.iterdir())


def test_a_mark_of_utf8_costs_no_row(tmp_path: Path) -> None:
    file = written(tmp_path / "in.jsonl", [talk("a", ASKED, ANSWERED)])
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    (line,) = parsed(file)
    assert line.talk is not None
    assert line.talk.id == "a"


def many(path: Path, count: int = 600, **more: Any) -> Path:
    words = [
        "rain",
        "tea",
        "bus",
        "exam",
        "rent",
        "sleep",
        "work",
        "mum",
        "phone",
        "gym",
        "cat",
        "pay",
        "bed",
        "food",
        "walk",
        "bill",
    ]
    talks = []
    for n in range(count):
        said = " ".join(words[(n * k + k * k) % 12] for k in range(1, 12))
        talks.append(
            talk(f"t{n}", f"I worry about {said} number {n} a lot these days", ANSWERED, **more)
        )
    return written(path, talks)


def test_several_workers_make_the_same(tmp_path: Path) -> None:
    file = many(tmp_path / "in.jsonl")
    outs = [tmp_path / f"{count}.jsonl" for count in (1, 2)]
    for count, out in enumerate(outs, start=1):
        clean([file], out, Rules(judging=QUIET), workers=count)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert not list(tmp_path.glob("*.part"))


KILLED = """
import os, signal, sys
from pathlib import Path
from sanad_data import cleaning
from sanad_data.review import Judging

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

cleaning._write = killed
rules = cleaning.Rules(judging=Judging(guard=False))
cleaning.run([Path(sys.argv[1])], Path(sys.argv[2]), rules, workers=1)
"""


def test_a_killed_run_leaves_no_output_and_a_rerun_makes_it_whole(tmp_path: Path) -> None:
    file = many(tmp_path / "in.jsonl", 60, topic="Priya Mehta")
    out = tmp_path / "out.jsonl"
    done = subprocess.run([sys.executable, "-c", KILLED, file, out], check=False)
    assert done.returncode == -signal.SIGKILL
    others = [path for path in tmp_path.iterdir() if path != file]
    assert others
    assert not any(b"Priya" in path.read_bytes() for path in others)
    assert not any(path.exists() for path in (out, *reports_of(out), removed_of(out)))
    whole = tmp_path / "whole.jsonl"
    rules = Rules(judging=Judging(guard=False))
    clean([file], out, rules, workers=1)
    clean([file], whole, rules, workers=1)
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.part"))
