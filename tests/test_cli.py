"""The command line: what each command prints, its exit codes, and bad input in one line."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, SANAD, run

IMMINENT = "I am going to kill myself tonight"
DEFAULT = "policies/default.yml"


def lines(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    return done.stdout.decode().splitlines()


def test_two_lines_get_two_replies_and_the_second_the_crisis_text() -> None:
    done = run("run", DEFAULT, stdin=f"hi\n{IMMINENT}\n")
    first, second = lines(done)
    assert done.returncode == 0
    assert "AI" in first
    assert "911" in second
    assert "988" in second
    assert second.index("911") < second.index("988")
    assert "\\n" in second


def test_json_gives_the_documented_shape() -> None:
    done = run("run", DEFAULT, "--json", "--conversation", "c", stdin=f"hi\n{IMMINENT}\nok\n")
    first, second, third = map(json.loads, lines(done))
    assert set(second) >= {
        "conversation", "message", "reply", "decision", "assessment", "timings_ms",
    }  # fmt: skip
    assert set(second["reply"]) == {"text", "responder", "helplines"}
    assert set(second["timings_ms"]) >= {"detect", "decide", "respond", "guard", "total"}
    assert second["conversation"] == "c"
    assert second["assessment"]["risk"]["level"] == "imminent"
    assert second["decision"]["rule"] == "imminent"
    file, line = second["decision"]["at"].split(":")
    assert (ROOT / file).read_text().splitlines()[int(line) - 1].strip() == "- rule: imminent"
    assert second["assessment"]["risks"][0]["kind"] == "suicide"
    assert second["reply"]["helplines"][:2] == ["911", "988"]
    assert first["decision"] == {
        "rule": None, "at": None, "held": False, "cause": "respond", "also": [],
    }  # fmt: skip
    assert third["decision"]["held"]
    assert third["decision"]["rule"] is None


def test_a_wish_to_end_ones_life_fires_a_rule() -> None:
    (reply,) = lines(run("run", DEFAULT, "--json", stdin="I feel like ending my life"))
    assert json.loads(reply)["decision"]["rule"] in ("check_in", "moderate", "high")


@pytest.mark.parametrize(
    "stdin",
    [
        b"\n", b"   \n", b"\xff\xfe broken\n", b"a\x00b\n", b"\xed\xa0\x80\n",
        b"x" * 1_000_000 + b"\n",
        b"no newline at the end", b"two\n\nthree\n", b"windows\r\nlines\r\n",
    ],
    ids=["empty", "blank", "not utf-8", "nul", "surrogate", "1 MB", "no newline", "gap", "crlf"],
)  # fmt: skip
def test_every_line_gets_exactly_one_reply(stdin: bytes) -> None:
    done = run("run", "minimal", stdin=stdin)
    assert done.returncode == 0
    assert len(lines(done)) == len(stdin.removesuffix(b"\n").split(b"\n"))
    assert all(line.strip() for line in lines(done))


def test_no_input_is_no_conversation() -> None:
    done = run("run", "minimal", stdin="")
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("run", "nowhere.yml"), 1, "nowhere.yml: no such file"),
        (("run", "policies"), 1, "policies: is a directory"),
        (("run", "defalt"), 1, "did you mean 'default'?"),
        (("run", "minimal", "--store", "sqlite:/proc/nowhere/c.db"), 1, "/proc/nowhere/c.db"),
        (("run", "minimal", "--store", "c.db"), 1, "write memory: or sqlite:PATH"),
        (("run", "minimal", "--store", "sqlite:"), 1, "needs a path"),
        (("run", "minimal", "--region", "USA"), 2, "two-letter country code"),
        (("run", "minimal", "--locale", "fr"), 2, "no language 'fr'"),
        (("run", "minimal", "--config", "nowhere.yml"), 1, "nowhere.yml: no such file"),
        (("run", "minimal", "--jsn"), 2, "--json"),
        (("runn",), 2, "did you mean 'run'?"),
        (("check", "nowhere.yml"), 1, "nowhere.yml: no such file"),
        (("screen", "nowhere.jsonl"), 2, "'nowhere.jsonl' cannot be read"),
        (("screen", "policies"), 2, "'policies' cannot be read"),
        (("explain",), 2, "TEXT"),
        (("explain", "minimal", "a", "b"), 2, "give one TEXT"),
        (("hold", "list", "--store", "memory:"), 2, "name the store"),
        (("hold", "list", "--store", "sqlite:{tmp}/typo.db"), 2, "there is no store"),
        (("run", "minimal", "--store", "sqlite::memory:"), 1, "write memory:"),
        (("screen", "I want to die CANARY"), 2, "FILE is no file; to give a text, pipe it"),
        (("explain", "--I want to die CANARY"), 2, "a text that begins with a dash stands after"),
        (("screen", "a", "die CANARY"), 2, "a message stands in quotes"),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(
    tmp_path: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    done = run(*(arg.replace("{tmp}", str(tmp_path)) for arg in args), stdin="hello\n")
    printed = (done.stderr + (done.stdout if args[0] == "check" else b"")).decode()
    assert done.returncode == code, printed
    assert said in printed
    assert "Traceback" not in printed
    assert "CANARY" not in printed
    assert len([line for line in printed.splitlines() if "sanad" in line or said in line]) <= 2


def test_a_traceback_is_shown_only_with_debug() -> None:
    assert b"Traceback" in run("--debug", "run", "nowhere.yml").stderr
    assert b"Traceback" not in run("run", "nowhere.yml").stderr


@pytest.mark.parametrize("command", ["", "run", "check", "screen", "explain", "plugins", "hold"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert b"Example: " in done.stdout


def test_check_shows_the_rules_and_where_they_stand() -> None:
    done = run("check", DEFAULT)
    text = done.stdout.decode()
    assert done.returncode == 0, text
    assert "policies/default.yml: clean" in text
    for rule in ("imminent", "high", "moderate", "someone_else", "check_in", "on_failure"):
        assert rule in text
    assert "not that detection is right" in text


def test_check_as_json_lists_every_case() -> None:
    done = run("check", "minimal", "default", "--json")
    minimal, default = json.loads(done.stdout)
    assert minimal["clean"]
    assert default["clean"]
    assert len(minimal["cases"]) == 260


def test_check_prints_each_problem_with_its_source_line(tmp_path: Path) -> None:
    text = (ROOT / DEFAULT).read_text().replace("at_least: high", "at_lest: high")
    (tmp_path / "p.yml").write_text(text)
    done = run("check", "p.yml", cwd=tmp_path)
    assert done.returncode == 1
    place = next(
        f"p.yml:{n}:{line.index('at_lest') + 1}: unknown key 'at_lest'; did you mean 'at_least'?"
        for n, line in enumerate(text.splitlines(), start=1)
        if "at_lest" in line
    )
    assert place in done.stdout.decode()
    assert "    when: {risk: {at_lest: high, subject: self}}" in done.stdout.decode()


def test_screen_keeps_order_and_ids_and_answers_nobody(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "hello"}, {"text": IMMINENT}, {"id": 7, "text": ""}]
    file = tmp_path / "in.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")
    done = run("screen", str(file))
    out = [json.loads(line) for line in lines(done)]
    assert done.returncode == 0
    assert [row["id"] for row in out] == ["a", 2, 7]
    assert [row["risk"]["level"] for row in out] == ["none", "imminent", "none"]
    assert set(out[1]) == {"id", "text", "risk", "signals", "failures"}
    assert set(out[1]["risk"]) == {"level", "kind", "subject", "score"}


def test_screen_takes_plain_lines() -> None:
    out = [json.loads(line) for line in lines(run("screen", stdin=f"hello\n\n{IMMINENT}\n"))]
    assert [(row["id"], row["risk"]["level"]) for row in out] == [
        (1, "none"), (2, "none"), (3, "imminent"),
    ]  # fmt: skip


def test_screen_names_bad_rows_and_screens_them_all_the_same() -> None:
    done = run(
        "screen", stdin=f'{{"text": "hi"}}\n{{"txt": "{IMMINENT}"}}\nnot json\n{{"text": 5}}\n'
    )
    out = [json.loads(line) for line in lines(done)]
    assert done.returncode == 1
    assert len(out) == 4
    assert out[1]["risk"]["level"] == "imminent"
    assert b"-:2: is not an object with a text in 'text'" in done.stderr
    assert b"-:3: is not JSON" in done.stderr


def test_the_first_line_that_is_not_blank_says_what_rows_are() -> None:
    row = json.dumps({"id": "a", "text": IMMINENT})
    for before in ("", "\n\n", "\ufeff", "\ufeff\n"):
        done = run("screen", "--policy", "minimal", stdin=f"{before}{row}\n")
        (out,) = (json.loads(line) for line in lines(done))
        assert (done.returncode, out["id"], out["risk"]["level"]) == (0, "a", "imminent")
    wrong = json.dumps({"id": "a", "message": IMMINENT})
    done = run("screen", "--policy", "minimal", stdin=f"{wrong}\n{row}\n")
    first, second = (json.loads(line) for line in lines(done))
    assert done.returncode == 1
    assert b"-:1: is not an object with a text in 'text'" in done.stderr
    assert (first["risk"]["level"], second["id"]) == ("imminent", "a")


def test_a_text_that_a_required_detector_did_not_read_makes_the_exit_code_1(
    write_policy: Callable[..., Path],
) -> None:
    gone = {"use": "screen", "required": True, "options": {"folder": "gone"}}
    policy = write_policy(detect=[{"use": "lexicon", "required": True}, gone])
    done = run("screen", "--policy", str(policy), stdin="hello\nhello\n")
    assert done.returncode == 1
    assert b"texts that 'screen' did not read, which the policy requires: 2" in done.stderr
    assert b" in warm" not in done.stderr  # a place in code is no help
    assert len(lines(done)) == 2


def test_screen_answers_each_row_as_it_comes() -> None:
    process = subprocess.Popen([SANAD, "screen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 1
    process.stdin.close()
    process.stdout.close()
    assert process.wait(timeout=20) == 0


def test_explain_shows_the_path() -> None:
    text = run("explain", DEFAULT, IMMINENT).stdout.decode()
    for part in (
        "imminent suicide",
        "rule 'imminent' at policies/default.yml:",
        "time       total",
    ):
        assert part in text


def test_plugins_lists_what_is_installed() -> None:
    done = run("plugins", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert done.returncode == 0
    assert rows["lexicon"]["components"][0]["hook"] == "sanad_detectors"
    assert {"lexicon", "rules", "reply_guard", "memory", "sqlite", "log", "webhook"} <= set(rows)
    assert b"lexicon  sanad-core" in run("plugins").stdout


def test_hold_lists_and_acknowledges(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path / 'c.db'}"
    run("run", "minimal", "--store", store, "--conversation", "c1", stdin=f"{IMMINENT}\n")
    listed = json.loads(run("hold", "list", "--store", store, "--json").stdout)
    assert [(row["conversation"], row["level"]) for row in listed] == [("c1", "imminent")]
    done = run("hold", "acknowledge", "c1", "--by", "dr x", "--store", store)
    assert (done.returncode, done.stdout) == (0, b"acknowledged by dr x\n")
    assert run("hold", "list", "--store", store).stdout == b"no conversation is in crisis mode\n"
    again = run("hold", "acknowledge", "c1", "--store", store)
    assert again.returncode == 1
    assert b"is not in crisis mode" in again.stderr


def test_ctrl_c_ends_a_command_that_waits_for_its_input() -> None:
    for command in ("run", "screen"):
        process = subprocess.Popen(
            [SANAD, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"hello\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130, err
        assert b"Traceback" not in err


def test_ctrl_c_ends_a_command_that_loads_a_model() -> None:
    for _ in range(3):
        process = subprocess.Popen(
            [SANAD, "screen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        loaded = Path(f"/proc/{process.pid}/maps")
        while process.poll() is None and "onnxruntime" not in loaded.read_text():
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130, err
        assert b"Traceback" not in err


def test_ctrl_c_ends_a_command_that_waits_for_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "messages"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [SANAD, "screen", pipe], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    with open(pipe, "wb", buffering=0) as writer:
        writer.write(b"hello\n")
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert b"Traceback" not in err


def test_output_that_cannot_be_written_is_one_line() -> None:
    done = subprocess.run(
        f"echo hello | {SANAD} run minimal > /dev/full",
        shell=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_closed_output_is_one_line() -> None:
    done = subprocess.run(
        f"echo hello | {SANAD} screen >&-", shell=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"standard output is closed" in done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        f"yes hello | head -2000 | {SANAD} screen | head -1", shell=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = process.communicate(timeout=60)
    assert out.count(b"\n") == 1
    gone = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {SANAD} plugins | head -1"],
        capture_output=True,
        check=False,
    )
    assert gone.returncode == 0, gone.stderr
    assert b"Traceback" not in err


def test_the_policy_and_the_store_of_sanad_yml_are_used(tmp_path: Path) -> None:
    (tmp_path / "sanad.yml").write_text(
        "sanad: 1\npolicy: minimal\nregion: GB\nstore: sqlite:c.db\n"
    )
    (reply,) = lines(run("run", "--json", stdin=IMMINENT, cwd=tmp_path))
    assert "minimal.yml" in json.loads(reply)["decision"]["at"]
    assert "999" in json.loads(reply)["reply"]["helplines"]
    assert not (tmp_path / "c.db").exists(), "piped text is not kept unless a store is named"


def test_a_terminal_gets_a_conversation(tmp_path: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.chdir(tmp_path)
        os.execv(SANAD, [SANAD, "run", "minimal"])
    said = _until(terminal, "you")
    os.write(terminal, f"{IMMINENT}\r".encode())
    said += _until(terminal, "crisis mode")
    os.write(terminal, b"\x03")
    said += _until(terminal, "goodbye")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert "988" in said
    assert "Traceback" not in said


def _until(terminal: int, part: str, seconds: float = 30) -> str:
    said, ends = "", time.monotonic() + seconds
    while part not in said and time.monotonic() < ends:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                break
            if "\x1b[6n" in said:  # the terminal is asked where its cursor is
                os.write(terminal, b"\x1b[1;1R")
                said = said.replace("\x1b[6n", "")
    assert part in said, said
    return said
