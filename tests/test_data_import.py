"""Import: every form becomes conversations, nothing is lost, and bad input is named, not quoted."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DATA, SANAD, run
from hypothesis import given
from hypothesis import strategies as st

from sanad_core.errors import ContentError, MissingExtra, UsageError
from sanad_data.command import import_
from sanad_data.forms import FORMS
from sanad_data.forms.guidelines import question
from sanad_data.forms.recognise import form_of, look
from sanad_data.forms.speakers import role_of
from sanad_data.importing import Counts, Wanted, check, rejects_of
from sanad_data.importing import run as run_import
from sanad_data.reading import documents
from sanad_data.reading.tables import rows
from sanad_data.records import Reject
from sanad_data.talks import LONGEST, Talk, parsed
from sanad_data.topics import conditions

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.data

CANARY = "CANARY-42"


def imported(tmp_path: Path, *files: Path, **options: Any) -> tuple[list[Talk], list[Any], Counts]:
    """The conversations, the rejects and the counts of an import, which agree with each other."""
    out = tmp_path / "out.jsonl"
    counts = run_import(Wanted(files=files, out=out, **options))
    talks = [line.talk for line in parsed(out)]
    assert None not in talks
    rejects = [json.loads(line) for line in rejects_of(out).read_text("utf-8").splitlines()]
    assert counts.talks == len(talks)
    assert counts.rejects == len(rejects)
    assert counts.records == counts.taken + counts.rejects
    assert len({talk.id for talk in talks if talk}) == len(talks)
    assert CANARY not in rejects_of(out).read_text("utf-8")
    return [talk for talk in talks if talk], rejects, counts


def said(talk: Talk) -> list[tuple[str, str]]:
    return [(turn.role, turn.text) for turn in talk.turns]


def jsonl(path: Path, objects: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in objects))
    return path


def table(path: Path, *found: Iterable[object]) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows(found)
    path.write_text(text.getvalue(), "utf-8", newline="")
    return path


def packed(path: Path, *chunks: bytes, times: int = 1) -> Path:
    zstd = pytest.importorskip("backports.zstd")
    with zstd.ZstdFile(path, "w", level=1) as file:
        for chunk in chunks:
            for _ in range(times):
                file.write(chunk)
    return path


# The forms

MORE = {"topic": "anxiety", "condition": "depression"}


def test_the_guides_json(tmp_path: Path) -> None:
    pair = {"user": "I feel low.", "therapist": "Since when?"}
    file = tmp_path / "guide.json"
    file.write_text(json.dumps({"conversations": [pair, pair | MORE]}, indent=1))
    talks, rejects, _ = imported(tmp_path, file, licence="CC0", topic="depression")
    assert [said(talk) for talk in talks] == [
        [("person", "I feel low."), ("supporter", "Since when?")]
    ] * 2
    assert [talk.topic for talk in talks] == ["depression", "anxiety"]
    assert [talk.conditions for talk in talks] == [["depression"], ["depression", "anxiety"]]
    assert {(talk.source, talk.licence) for talk in talks} == {
        (talks[0].id.rpartition("-")[0], "CC0")
    }
    assert rejects == []


@pytest.mark.parametrize(
    "text",
    [
        '{"conversations": [{"user": "a", "therapist": "b"}, {"user": "a", "therapist": "b"}]}',
        '{"about": {"n": 2}, "conversations": [{"user": "a", "therapist": "b"},\n'
        ' {"user": "a", "therapist": "b"}], "end": []}',
        '[{"user": "a", "therapist": "b"}, {"user": "a", "therapist": "b"}]',
        '{"user": "a", "therapist": "b"}\n{"user": "a", "therapist": "b", "reviewer": "r"}\n',
        '\ufeff{"conversations": [{"user": "a", "therapist": "b"}]}\n'
        '{"conversations": [{"user": "a", "therapist": "b"}]}\n',
    ],
)
def test_the_guides_json_as_it_is_written_elsewhere(tmp_path: Path, text: str) -> None:
    file = tmp_path / "guide.json"
    file.write_text(text, "utf-8")
    talks, _, _ = imported(tmp_path, file)
    assert [said(talk) for talk in talks] == [[("person", "a"), ("supporter", "b")]] * 2


def test_counsel_chat(tmp_path: Path) -> None:
    file = table(
        tmp_path / "c.csv",
        ["questionID", "questionTitle", "questionText", "topic", "answerText"],
        [7, "Am I ill?", "I sleep badly,\nand cry.", "grief-and-loss", 'You say "cry".'],
        [7, "Am I ill?", "Am I ill? Tell me.", "grief-and-loss", "Tell me more."],
        [8, "Title alone", "", "anxiety", ""],
    )
    talks, rejects, counts = imported(tmp_path, file)
    assert said(talks[0]) == [
        ("person", "Am I ill?\n\nI sleep badly,\nand cry."),
        ("supporter", 'You say "cry".'),
    ]
    assert talks[1].turns[0].text == "Am I ill? Tell me."
    assert talks[0].source == "CounselChat"
    assert talks[0].conditions == ["grief"]
    assert talks[0].group == talks[1].group != ""
    assert counts.records == 3
    reason = "holds nothing that a supporter says"
    assert rejects == [{"file": str(file), "line": 5, "reason": reason}]


def test_esconv(tmp_path: Path) -> None:
    dialog = [
        {"speaker": "seeker", "annotation": {}, "content": "Hello\n"},
        {"speaker": "supporter", "annotation": {}, "content": ""},
        {"speaker": "supporter", "annotation": {"strategy": "Question"}, "content": "Hi!"},
    ]
    good = {"emotion_type": "anger", "problem_type": "breakup with partner", "dialog": dialog}
    wrong = good | {"dialog": [*dialog, {"speaker": "third", "content": CANARY}]}
    file = tmp_path / "esconv.json"
    file.write_text(json.dumps([good, wrong, good | {"dialog": []}, {"dialog": None}]))
    talks, rejects, _ = imported(tmp_path, file)
    assert said(talks[0]) == [("person", "Hello"), ("supporter", "Hi!")]
    assert talks[0].conditions == ["anger", "relationship"]
    assert talks[0].topic == "breakup with partner"
    assert len(talks) == 1
    assert len(rejects) == 3


def test_a_list_of_questions(tmp_path: Path) -> None:
    file = table(tmp_path / "f.csv", ["Question_ID", "Questions", "Answers"], [1, "Q?", "A."])
    pairs = jsonl(tmp_path / "p.json", [{"Context": "Q?", "Response": "A."}])
    talks, _, _ = imported(tmp_path, file, pairs, source="an FAQ")
    assert said(talks[0]) == said(talks[1])
    assert said(talks[0]) == [("person", "Q?"), ("supporter", "A.")]
    assert talks[0].source == "an FAQ"


def test_empathetic_dialogues(tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text(
        "conv_id,utterance_idx,context,prompt,speaker_idx,utterance,selfeval,tags\n"
        'hit:0_conv:1,1,sad,I was "low",1,I lost it_comma_ all,5|5|5_2|2|2,\n'
        "hit:1_conv:2,1,anxious,Exam,3,I am afraid,5|5|5_2|2|2,\n"
        'hit:0_conv:1,2,sad,I was "low",0,"Oh no!,5|5|5_2|2|2,,extra\n'
        "hit:1_conv:2,2,anxious,Exam,4,Of what?,5|5|5_2|2|2,\n"
        "hit:2_conv:3,x,anxious,Exam,4,Of what?,5|5|5_2|2|2,\n"
        "cut,off\n"
    )
    talks, rejects, counts = imported(tmp_path, file)
    assert [said(talk) for talk in talks] == [
        [("person", "I lost it, all"), ("supporter", '"Oh no!')],
        [("person", "I am afraid"), ("supporter", "Of what?")],
    ]
    assert talks[1].conditions == ["anxiety"]
    assert [item["line"] for item in rejects] == [7, 6]
    assert counts.records == 6


def test_annomi(tmp_path: Path) -> None:
    head = ["mi_quality", "transcript_id", "topic", "utterance_id", "interlocutor"]
    file = table(
        tmp_path / "annomi.csv",
        [*head, "utterance_text", "annotator_id"],
        ["high", 0, "reducing alcohol consumption", 0, "therapist", "How much?", 1],
        ["high", 0, "reducing alcohol consumption", 0, "therapist", "How much?", 2],
        ["high", 0, "reducing alcohol consumption", 1, "client", "A lot.", 1],
        ["low", 1, "exercise", 0, "nobody", "Hm.", 1],
    )
    talks, rejects, _ = imported(tmp_path, file)
    assert said(talks[0]) == [("supporter", "How much?"), ("person", "A lot.")]
    assert talks[0].labels == {"mi_quality": "high"}
    assert talks[0].conditions == ["substance_use"]
    assert [(item["line"], item.get("by_rule", False)) for item in rejects] == [
        (3, True),
        (5, False),
    ]


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_dreaddit(tmp_path: Path, ending: str) -> None:
    found = [
        {"subreddit": "ptsd", "post_id": "p", "text": "I shake.", "label": 1},
        {"subreddit": "stress", "post_id": "p", "text": "Fine.", "label": 0},
        {"subreddit": "stress", "post_id": "q", "text": CANARY, "label": 7},
    ]
    file = tmp_path / f"dreaddit.{ending}"
    if ending == "csv":
        table(file, found[0], *(row.values() for row in found))
    else:
        jsonl(file, found)
    talks, rejects, _ = imported(tmp_path, file)
    assert [said(talk) for talk in talks] == [[("person", "I shake.")], [("person", "Fine.")]]
    assert [talk.labels for talk in talks] == [{"stress": "1"}, {"stress": "0"}]
    assert talks[0].group == talks[1].group
    assert talks[0].conditions == ["ptsd"]
    assert [item["reason"] for item in rejects] == ["its label is neither 0 nor 1"]


POSTS: list[dict[str, Any]] = [
    {"id": "a", "title": "Low", "selftext": "So low.", "author": "u1", "subreddit": "depression"},
    {"id": "b", "title": "Gone", "selftext": "[removed]", "author": "u2", "subreddit": "Anxiety"},
    {"id": "c", "title": "Alone", "selftext": "", "author": "u3", "subreddit": "mentalhealth"},
    {"id": "a", "title": "Low", "selftext": "So low.", "author": "u1", "subreddit": "depression"},
]


def comment(post: str, body: str, author: str, parent: str | None = None) -> dict[str, Any]:
    link = f"t3_{post}"
    return {"body": body, "author": author, "link_id": link, "parent_id": parent or link}


COMMENTS = [
    comment("a", "I hear you.", "u4"),
    comment("a", "Since when?", "u5"),
    comment("a", "[deleted]", "u6"),
    comment("a", "text of one who left", "[deleted]"),
    comment("a", "Thank you", "u1", parent="t1_x"),
    comment("a", "My own", "u1"),
    comment("b", "Too late", "u5"),
    comment("a", "Read the rules", "AutoModerator"),
    comment("zzz", "Elsewhere", "u5"),
    {"id": "x", "neither": CANARY},
]


@pytest.mark.parametrize("order", ["posts first", "comments first", "one file"])
def test_reddits_dumps(tmp_path: Path, order: str) -> None:
    lines = [[json.dumps(item).encode() + b"\n" for item in part] for part in (POSTS, COMMENTS)]
    if order == "one file":
        files = [packed(tmp_path / "all.zst", *lines[1], *lines[0])]
    else:
        files = [packed(tmp_path / "RS.zst", *lines[0]), packed(tmp_path / "RC.zst", *lines[1])]
    talks, rejects, counts = imported(
        tmp_path, *(reversed(files) if order == "comments first" else files)
    )
    assert [said(talk) for talk in talks] == [
        [("person", "Low\n\nSo low."), ("supporter", "I hear you.")],
        [("person", "Low\n\nSo low."), ("supporter", "Since when?")],
    ]
    assert {talk.source for talk in talks} == {"reddit r/depression"}
    assert {(talk.topic, *talk.conditions) for talk in talks} == {("depression", "depression")}
    assert len({talk.group for talk in talks}) == 1
    assert "u1" not in talks[0].group
    assert counts.records == len(POSTS) + len(COMMENTS)
    assert counts.taken == 3  # a post and two answers
    assert counts.wrong == {
        "answers a post that is not in these files": 1,
        "is neither a post nor a comment of Reddit": 1,
    }
    assert counts.left_out["was removed or deleted"] == 3
    assert counts.left_out["is a post without an answer in these files"] == 1
    assert len(rejects) == counts.records - 3


def test_removed_posts_do_not_make_a_dump_wrong(tmp_path: Path) -> None:
    removed = [comment("a", "[removed]", f"u{number}") for number in range(50)]
    file = jsonl(tmp_path / "RC_2020-01", [POSTS[0], COMMENTS[0], *removed])
    done = run("data", "import", str(file), "--out", str(tmp_path / "out.jsonl"))
    assert done.returncode == 0, done.stderr
    assert b"52 records in: 2 taken, 50 rejected (0 wrong); 1 conversations" in done.stdout


def test_a_forums_threads(tmp_path: Path) -> None:
    file = table(
        tmp_path / "forum.csv",
        ["Thread ID", "User", "Created At", "Message", "Title", "Category"],
        [1, "ann", "2024-05-02T09:00:00", "Thanks.", "", "Anxiety"],
        [2, "bob", "2024-05-01", "Anybody?", "", "x"],
        [1, "cat", "2024-05-01T10:00:00Z", "I know it.", "", "Anxiety"],
        [1, "ann", "2024-05-01 08:00", "I panic.", "Help", "Panic attacks"],
        [1, "dan", "2024-05-01T11:00:00", "[deleted]", "", "Anxiety"],
        [3, "[deleted]", "2024-05-01", "first", "", "x"],
        [3, "eve", "2024-05-02", "second", "", "x"],
        [4, "eve", "1 May", "one", "", "x"],
        ["", "eve", "2024-05-02", "no thread", "", "x"],
    )
    talks, rejects, counts = imported(tmp_path, file)
    assert [said(talk) for talk in talks] == [
        [("person", "Help\n\nI panic."), ("supporter", "I know it."), ("person", "Thanks.")]
    ]
    assert talks[0].conditions == ["panic"]
    assert "ann" not in talks[0].group
    assert counts.records == 9
    assert sum(counts.wrong.values()) == 2
    assert {item["line"] for item in rejects} == {3, 6, 7, 8, 9, 10}


def test_a_forum_without_times_is_read_as_it_stands(tmp_path: Path) -> None:
    file = table(
        tmp_path / "f.csv", ["thread", "author", "text"], [1, "a", "Hi"], [1, "b", "Hello"]
    )
    talks, _, _ = imported(tmp_path, file)
    assert said(talks[0]) == [("person", "Hi"), ("supporter", "Hello")]


TRANSCRIPT = """Session of May
[00:01] Therapist: How are you?
[00:05] Client 1: Not well.
At 10:30 I woke up.

Note: she cries.
**T:** Tell me more.
---
Dr. Smith: Good morning.
Anna: Morning.
Session 3
Speaker A: Hello.
Speaker B: Hello.
"""


def test_a_transcript_with_speakers(tmp_path: Path) -> None:
    file = tmp_path / "t.txt"
    file.write_text(TRANSCRIPT)
    talks, rejects, counts = imported(tmp_path, file)
    assert [said(talk) for talk in talks] == [
        [
            ("supporter", "How are you?"),
            ("person", "Not well.\nAt 10:30 I woke up.\nNote: she cries."),
            ("supporter", "Tell me more."),
        ],
        [("supporter", "Good morning."), ("person", "Morning.")],
    ]
    assert counts.taken == 5
    assert [(item["line"], item.get("by_rule", False)) for item in rejects] == [
        (1, True), (12, False), (13, False),
    ]  # fmt: skip


def test_a_transcript_in_docx(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_paragraph("Therapist: How are you?")
    document.add_paragraph("Client: Not well.\nTherapist: Oh.")
    cells = document.add_table(rows=1, cols=3).rows[0].cells
    cells[0].text, cells[1].text, cells[2].text = "00:12", "Client:", "I slept."
    document.save(str(tmp_path / "t.docx"))
    talks, _, counts = imported(tmp_path, tmp_path / "t.docx")
    assert said(talks[0]) == [
        ("supporter", "How are you?"),
        ("person", "Not well."),
        ("supporter", "Oh."),
        ("person", "I slept."),
    ]
    assert counts.taken == 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "s.srt",
            "1\n00:00:01,000 --> 00:00:02,000\nTherapist: <i>How</i> are\nyou?\n\n2\n00:00:03,000"
            " --> 00:00:04,000\nClient: Not\n\n3\n00:00:05,000 --> 00:00:06,000\nClient: well.\n",
        ),
        (
            "s.vtt",
            "WEBVTT\n\nNOTE hello\n\n00:01.000 --> 00:02.000 align:left\n<v Therapist>How are</v>\n"
            "you?\n\nx\n00:03.000 --> 00:04.000\n<v.loud Client>Not\n\n00:05.000 --> 00:06.000\n"
            "<v Client>well.\n",
        ),
    ],
)
def test_subtitles(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    talks, rejects, counts = imported(tmp_path, tmp_path / name)
    assert [said(talk) for talk in talks] == [
        [("supporter", "How are\nyou?"), ("person", "Not well.")]
    ]
    assert counts.taken == 3
    assert rejects == []


ASKED = "What does the guidance say about"
GUIDELINE = """---
title: ignored
---
Written by many.

# Depression in adults

## 1.2 First-line treatment

Offer *guided* self-help:

1. a [book](http://example.org)
2. a course

- or both

## What if it does not help?

### Second step
Ask a specialist.
<div>As <b>soon</b> as you can.</div>

<!-- not
this -->
<p>Today.</p>

| a | b |
|---|---|
| c | d |

## References
Smith 2020

## Empty
"""


def test_a_guideline_in_markdown(tmp_path: Path) -> None:
    file = tmp_path / "g.md"
    file.write_text(GUIDELINE)
    talks, rejects, _ = imported(tmp_path, file)
    assert said(talks[0]) == [
        ("person", f'{ASKED} "First-line treatment" in "Depression in adults"?'),
        ("supporter", "Offer guided self-help:\n1. a book\n2. a course\n- or both"),
    ]  # fmt: skip
    assert talks[1].turns[0].text.startswith(f'{ASKED} "Second step" in')
    assert talks[1].turns[1].text == (
        "Ask a specialist.\n\nAs soon as you can.\n\nToday.\na | b\nc | d"
    )
    assert {(*talk.conditions, talk.topic) for talk in talks} == {
        ("depression", "Depression in adults")
    }
    assert [item["line"] for item in rejects] == [4, 31, 34]
    assert all(item["by_rule"] for item in rejects)


def test_what_a_heading_asks() -> None:
    assert question("What is grief?") == "What is grief?"
    assert question("3.1 When to refer") == "When to refer?"
    assert question("Sleep:") == f'{ASKED} "Sleep"?'


def pdf(path: Path, *lines: tuple[int, str]) -> Path:
    """A PDF of one page with lines of text in sizes."""
    content, height = "BT\n", 800
    for size, text in lines:
        content += f"/F1 {size} Tf 1 0 0 1 50 {height} Tm ({text}) Tj\n"
        height -= 2 * size
    content += "ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    text, places = "%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(text))
        text += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(text)}\n%%EOF\n"
    path.write_text(f"{text}xref\n0 6\n0000000000 65535 f \n{table}trailer\n{trailer}")
    return path


def test_a_guideline_in_pdf(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")
    file = pdf(
        tmp_path / "g.pdf",
        (24, "Anxiety"),
        (16, "Treatment in"),
        (16, "primary care"),
        (10, "Offer psycho-"),
        (10, "education to everybody who asks for it."),
        (16, "Medicine"),
        (10, "Review after two weeks."),
    )
    file = packed(tmp_path / "g.pdf.zst", file.read_bytes())
    talks, rejects, _ = imported(tmp_path, file, licence="NICE")
    assert [said(talk) for talk in talks] == [
        [
            ("person", f'{ASKED} "Treatment in primary care" in "Anxiety"?'),
            ("supporter", "Offer psychoeducation to everybody who asks for it."),
        ],
        [
            ("person", f'{ASKED} "Medicine" in "Anxiety"?'),
            ("supporter", "Review after two weeks."),
        ],
    ]  # fmt: skip
    assert talks[0].conditions == ["anxiety"]
    assert rejects == []


SHAREGPT = {
    "conversations": [
        {"from": "system", "value": "Be kind."},
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello"},
    ]
}
MESSAGES = {
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": "Hello"},
    ]
}
MARKED = {
    "text": "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nHello<|im_end|>\n"
}


@pytest.mark.parametrize("data", [SHAREGPT, MESSAGES, MARKED])
@pytest.mark.parametrize("form", ["lines", "list", "pretty"])
def test_sharegpt_and_chatml(tmp_path: Path, data: dict[str, Any], form: str) -> None:
    wrong = {"messages": [{"role": "tool", "content": CANARY}]}
    file = tmp_path / ("c.jsonl" if form == "lines" else "c.json")
    if form == "lines":
        jsonl(file, [data, wrong])
    else:
        file.write_text(json.dumps([data, wrong], indent=2 if form == "pretty" else None))
    talks, rejects, _ = imported(tmp_path, file)
    assert said(talks[0]) == [("person", "Hi"), ("supporter", "Hello")]
    assert [item["reason"] for item in rejects] == ["a turn has no known role, or no text"]


REAL = {
    "counsel_chat": ("counsel_chat/20200325_counsel_chat.csv", 2129),
    "esconv": ("esconv_partial/FailedESConv.json", 196),
    "faq": ("mental_health_faq/Mental_Health_FAQ.csv", 98),
}


@pytest.mark.parametrize("form", REAL)
def test_real_sets(tmp_path: Path, form: str) -> None:
    name, count = REAL[form]
    file = DATA / name
    if not file.exists():
        pytest.skip("the shared data are not there")
    assert form_of(look(file)).name == form
    talks, rejects, counts = imported(tmp_path, file)
    assert (len(talks), len(rejects), counts.records) == (count, 0, count)
    again, _, _ = imported(tmp_path, file)
    assert again == talks
    if form == "counsel_chat":
        assert len({talk.group for talk in talks}) == 815
        assert len({talk.topic for talk in talks}) == 31


# Bad input


def refused(tmp_path: Path, *args: str, code: int = 1) -> str:
    """The one line that an import is refused with; nothing it printed is anybody's words."""
    out = tmp_path / "refused.jsonl"
    done = run("data", "import", *args, "--out", str(out))
    assert done.returncode == code, done.stderr
    assert CANARY.encode() not in done.stdout + done.stderr
    assert not list(tmp_path.glob("*.part"))
    (line,) = done.stderr.decode().splitlines()
    return line


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('{"conversations": [\n {"user": "a", "therapist": "b"},\n {"user": "CANARY-42" "b"}\n]}',
         "3:23", "is not JSON: expecting ',' delimiter"),
        ('{"conversations": [\n {"user": "a", "therapist": "b"}\n {}]}', "3:2",
         "is not JSON: ',' or ']' is expected"),
        ('{"conversations": [\n {"user": "a", "therapist": "b"},', "2:34", "is not JSON"),
        ('[{"user": "CANARY-42', "1:11", "is not JSON: unterminated string"),
        ('{"conversations" 3}', "1:18", "is not JSON: ':' is expected"),
        ('{"a": 1, b: 2}', "1:10", "is not JSON: a key in quotes is expected"),
        ("[" * 100_000, "1:2", "is nested too deep"),
        ('[{"user": "a", "n": ' + "1" * 5000 + "}]", "1:2", "holds a number that is too long"),
    ],
)  # fmt: skip
def test_malformed_json_is_named_with_its_place(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    line = refused(tmp_path, str(file), "--form", "guide")
    assert line.startswith(f"{file}:{place}: {said}")
    assert not (tmp_path / "refused.jsonl").exists()
    rejects = rejects_of(tmp_path / "refused.jsonl").read_text()
    assert json.loads(rejects.splitlines()[-1])["line"] == int(place.partition(":")[0])


def test_malformed_lines_are_rejected_and_the_others_taken(tmp_path: Path) -> None:
    good = json.dumps(MESSAGES)
    file = tmp_path / "c.jsonl"
    lines = [
        '{"messages": [CANARY-42',
        good,
        "[1]",
        "",
        "[" * 100_000,
        f'{{"a":{"1" * 5000}}}',
        "7",
    ]
    file.write_text("\n".join(lines))
    talks, rejects, counts = imported(tmp_path, file)
    assert len(talks) == 1
    assert [item["line"] for item in rejects] == [1, 3, 5, 6, 7]
    assert counts.records == 6
    line = refused(tmp_path, str(file))
    assert "5 of 6 records are wrong (83.3%), more than --reject-over 0.05" in line
    assert len((tmp_path / "refused.jsonl").read_text().splitlines()) == 1


def test_the_share_of_wrong_records_that_is_too_many_is_the_users(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "c.jsonl", [MESSAGES] * 9 + [{}])
    out = str(tmp_path / "out.jsonl")
    assert run("data", "import", str(file), "--out", out).returncode == 1
    done = run("data", "import", str(file), "--out", out, "--reject-over", "0.1")
    assert done.returncode == 0
    assert b"10 records in: 9 taken, 1 rejected (1 wrong)" in done.stdout
    assert run("data", "import", str(file), "--out", out, "--reject-over", "2").returncode == 2


def test_rows_in_another_encoding_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("question,answer\nQ,A\nQ,naïve\n".encode("latin-1") + "Q,naïve\n".encode())
    talks, rejects, _ = imported(tmp_path, file)
    assert len(talks) == 2
    assert [(item["line"], item["reason"][:12]) for item in rejects] == [(3, "is not UTF-8")]
    bad = tmp_path / "c.jsonl"
    bad.write_bytes(json.dumps(MESSAGES).encode() + b'\n{"messages": "na\xefve"}\n')
    assert [item["reason"] for item in imported(tmp_path, bad)[1]] == ["is not UTF-8"]
    # JSON can hold half a character, which no file of UTF-8 can.
    half = jsonl(tmp_path / "h.jsonl", [{"user": "\ud83d", "therapist": "b"}] * 2)
    assert len(imported(tmp_path, half)[1]) == 2


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        ("question,answer\nQ,A\n".encode("utf-16"), "", "is UTF-16 or UTF-32; save it as UTF-8"),
        ("réponse,question\nQ,A\n".encode("latin-1"), ":1:1", "is not UTF-8; save it as UTF-8"),
        (b"question,answer\0\n", "", "is no text, PDF or .docx"),
        (b" \n", "", "is empty"),
        (b"", "", "is empty"),
    ],
)
def test_a_file_that_is_no_utf8_text_is_refused(
    tmp_path: Path, content: bytes, place: str, said: str
) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(content)
    assert refused(tmp_path, str(file)) == f"{file}{place}: {said}"


def test_a_json_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(b'[\n{"user": "a", "therapist": "b"},\n{"user": "na\xefve"}]')
    assert refused(tmp_path, str(file)) == f"{file}:3:1: is not UTF-8; save it as UTF-8"


def test_missing_columns_are_named(tmp_path: Path) -> None:
    file = table(tmp_path / "c.csv", ["questionTitle", "questionText", "upvotes"], [CANARY, 1, 2])
    line = refused(tmp_path, str(file), "--form", "counsel_chat")
    assert line == (
        f"{file}:1:1: lacks the columns answerText and topic; "
        "it has questionTitle, questionText, upvotes"
    )
    line = refused(tmp_path, str(file))
    assert line.startswith(f"{file}:1:1: is of no form that is known; it has questionTitle")
    assert "for 'counsel_chat' it lacks answerText, topic" in line
    assert "say which with --form: guide, counsel_chat" in line


def test_a_first_line_that_is_no_header_is_not_quoted(tmp_path: Path) -> None:
    file = table(tmp_path / "c.csv", [f"I am {CANARY} and I feel so very low today", "A."])
    assert refused(tmp_path, str(file), "--form", "faq").endswith(
        "lacks the columns Question and Answer"
    )
    refused(tmp_path, str(file))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("e.json", '{"conversations": []}'),
        ("e.csv", "question,answer\n\n , \n"),
        ("e.jsonl", '{"messages": []}\n'),
    ],
)
def test_empty_conversations(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    form = ("--form", "chat") if name == "e.jsonl" else ()
    assert "out.jsonl.rejects.jsonl" not in refused(tmp_path, str(tmp_path / name), *form)


def test_a_text_without_speakers_is_of_no_form(tmp_path: Path) -> None:
    file = tmp_path / "novel.txt"
    file.write_text(f"It was a dark night. {CANARY}\n")
    assert "is of no form that is known; say which" in refused(tmp_path, str(file))
    line = refused(tmp_path, str(file), "--form", "transcript")
    assert "no conversation came of 1 records: 'stands before the first line that" in line


def child(code: str, *args: str) -> dict[str, Any]:
    """What a process of its own prints, with the most memory that it took, in MiB."""
    script = (
        "import json, re, sys\nfrom pathlib import Path\n"
        "from sanad_data.importing import *\n" + code + "\n"
        # Not ru_maxrss, which begins with the most that the parent had.
        "status = Path('/proc/self/status').read_text()\n"
        "most = int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) // 1024\n"
        "print(json.dumps({'talks': counts.talks, 'wrong': counts.wrong, 'memory': most}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *args], capture_output=True, check=True, timeout=120
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


COUNTS = "counts = run(Wanted(files=(Path(sys.argv[1]),), out=Path(sys.argv[2]), form=sys.argv[3]))"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Therapist: a\nClient: b\n" + "x" + " " * 200_000 + "y\nSession" + " " * 200_000),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n" + "<a" * 200_000),
        ("a.json", " " * 60_000 + "["),
        ("a.vtt", "1" + "\n" * 60_000 + "-->\n" + "<v" + " " * 200_000),
        ("a.jsonl", json.dumps({"messages": [{"role": "#" * 200_000, "content": "a"}]})),
    ],
)
def test_text_that_is_made_to_take_long_does_not(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    began = time.process_time()
    with contextlib.suppress(ContentError):
        imported(tmp_path, tmp_path / name)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("ending", ["jsonl", "csv", "txt"])
def test_a_line_of_100_mb_is_passed_over(tmp_path: Path, ending: str) -> None:
    line, form = {
        "jsonl": (json.dumps(MESSAGES), "chat"),
        "csv": ("Question,Answer", "faq"),
        "txt": ("Therapist: a\nClient: b\n---", "transcript"),
    }[ending]
    file = with_hole(tmp_path / f"long.{ending}", f"{line}\n" * 9000, f"\n{line}\n")
    done = child(COUNTS, str(file), str(tmp_path / "out.jsonl"), form)
    assert done["talks"] == {"jsonl": 9001, "csv": 9000, "txt": 9000}[ending]
    assert done["wrong"]["is longer than 16 MiB"] == 1
    assert done["memory"] < 300


def with_hole(path: Path, before: str, after: str) -> Path:
    """A file with 100 MB between two texts that take no room on the disk."""
    with path.open("wb") as file:
        file.write(before.encode())
        file.seek(100 * 1024 * 1024, os.SEEK_CUR)
        file.write(after.encode())
    return path


def test_a_json_value_of_100_mb_is_refused(tmp_path: Path) -> None:
    pairs = json.dumps([{"user": "a", "therapist": "b"}] * 3000)
    file = with_hole(tmp_path / "long.json", pairs[:-1] + ', {"user": "', '"}]')
    line = refused(tmp_path, str(file))
    assert line.endswith("is not JSON, or one value of it is longer than 16 MiB; mend it there")


def test_a_zstd_bomb_takes_no_memory(tmp_path: Path) -> None:
    line = json.dumps(MESSAGES).encode() + b"\n"
    file = tmp_path / "bomb.jsonl.zst"
    zstd = pytest.importorskip("backports.zstd")
    with zstd.ZstdFile(file, "w", level=1) as writing:
        writing.write(line)
        for _ in range(300):
            writing.write(b"a" * 1024 * 1024)
        writing.write(b"\n" + line)
    assert file.stat().st_size < 1024 * 1024
    done = child(COUNTS, str(file), str(tmp_path / "out.jsonl"), "chat")
    assert done["talks"] == 2
    assert done["wrong"] == {"is longer than 16 MiB": 1}
    assert done["memory"] < 300


def test_a_dump_that_is_cut_off_or_broken_is_refused(tmp_path: Path) -> None:
    lines = [json.dumps(MESSAGES | {"n": os.urandom(99).hex()}).encode() + b"\n" for _ in range(99)]
    file = packed(tmp_path / "d.jsonl.zst", *lines)
    whole = file.read_bytes()
    file.write_bytes(whole[:-50])
    assert refused(tmp_path, str(file)).startswith(f"{file}: is cut off")
    assert not (tmp_path / "refused.jsonl").exists()
    file.write_bytes(whole[:4] + b"\xff" * 99)
    assert refused(tmp_path, str(file)).startswith(f"{file}: its zstd data are broken")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_kinds(tmp_path: Path, end: str) -> None:
    faq = tmp_path / "f.csv"
    faq.write_bytes(f'question,answer{end}Q1,"A{end}1"\r\nQ2,A2\nQ3,A3{end}'.encode())
    talks, rejects, _ = imported(tmp_path, faq)
    assert [talk.turns[0].text for talk in talks] == ["Q1", "Q2", "Q3"]
    chat = tmp_path / "c.jsonl"
    chat.write_bytes(end.join([json.dumps(MESSAGES), "", "x", json.dumps(MESSAGES)]).encode())
    talks, rejects, _ = imported(tmp_path, chat)
    assert len(talks) == 2
    assert [item["line"] for item in rejects] == [3]
    text = tmp_path / "t.txt"
    text.write_bytes(f"Therapist: a{end}Client: b\r\nmore{end}".encode())
    talks, _, _ = imported(tmp_path, text)
    assert said(talks[0]) == [("supporter", "a"), ("person", "b\nmore")]


def test_a_quote_that_is_left_open_costs_what_it_swallows(tmp_path: Path) -> None:
    lines = [f"Q{number},A{number}" for number in range(40)]
    lines[3] = f'"{CANARY},A3'
    lines[7] = 'Q7,"A7"'
    file = tmp_path / "f.csv"
    file.write_text("\n".join(["question,answer", *lines, "one", "a,b,c"]))
    talks, rejects, counts = imported(tmp_path, file)
    assert counts.records == 42
    assert [item["line"] for item in rejects] == [5, 6, 7, 8, 9, 42, 43]
    assert len(talks) == 35
    file.write_text("\n".join(["question,answer", *lines[:7]]))
    assert len(imported(tmp_path, file)[1]) == 4
    assert "4 of 7 records are wrong" in refused(tmp_path, str(file))


def test_kill_in_the_middle_leaves_only_what_is_whole(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "c.jsonl", [MESSAGES] * 60_000)
    out = tmp_path / "out.jsonl"
    part = out.with_name("out.jsonl.part")
    command = [SANAD, "data", "import", str(file), "--out", str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not part.exists() or not part.stat().st_size:
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert part.exists()
    assert not out.exists()
    assert not rejects_of(out).exists()
    assert run(*command[1:], timeout=120).returncode == 0
    assert len(out.read_text().splitlines()) == 60_000
    assert not list(tmp_path.glob("*.part"))


def test_a_failed_import_leaves_no_output_of_an_earlier_one(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    file = jsonl(tmp_path / "c.jsonl", [MESSAGES])
    run_import(Wanted(files=(file,), out=out))
    with pytest.raises(UsageError):
        run_import(Wanted(files=(tmp_path / "gone",), out=out))
    assert out.exists()  # nothing was read, and both are of the run before
    bad = tmp_path / "bad.json"
    bad.write_text('[{"user": "a", "therapist": "b"},')
    with pytest.raises(ContentError):
        run_import(Wanted(files=(bad,), out=out))
    assert rejects_of(out).read_text()
    assert not out.exists()


def test_the_name_of_a_file_is_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "Sarah Connor session 3.txt"
    file.write_text("Therapist: How are you?\nClient: Not well.\n")
    talks, _, _ = imported(tmp_path, file)
    assert re.fullmatch("transcript-[0-9a-f]{8}", talks[0].source)
    assert talks[0].id.startswith(f"{talks[0].source}-")
    assert "Sarah" not in (tmp_path / "out.jsonl").read_text()


def test_documents_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("docx")
    pytest.importorskip("pypdf")
    bad = tmp_path / "bad.docx"
    bad.write_bytes(b"PK\x03\x04" + b"x" * 99)
    assert "is no .docx that can be read" in refused(tmp_path, str(bad))
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("word/document.xml", "<a>")
    assert "is no .docx that can be read" in refused(tmp_path, str(bad))
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.4\n" + os.urandom(99))
    assert "is no PDF that can be read" in refused(tmp_path, str(tmp_path / "bad.pdf"))
    (tmp_path / "bad.md").write_bytes(b"# A\nna\xefve\n")
    assert refused(tmp_path, str(tmp_path / "bad.md")).endswith(
        "bad.md:2:1: is not UTF-8; save it as UTF-8"
    )
    scan = pdf(tmp_path / "scan.pdf")
    assert "holds no text, as a scan does" in refused(tmp_path, str(scan))


def test_a_locked_pdf_is_refused(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter(clone_from=pdf(tmp_path / "open.pdf", (10, "Text")))
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    line = refused(tmp_path, str(tmp_path / "locked.pdf"))
    assert line.endswith("is locked with a password; save it without one")


def test_a_docx_that_unpacks_to_very_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanad_data.reading import files

    monkeypatch.setattr(files, "MOST_UNPACKED", 1000)
    with zipfile.ZipFile(tmp_path / "b.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", " " * 100_000)
    with pytest.raises(ContentError, match="unpacks to more than"):
        imported(tmp_path, tmp_path / "b.docx")
    monkeypatch.setattr(files, "MOST_UNPACKED", 10)
    with pytest.raises(ContentError, match="is larger than"):
        imported(tmp_path, tmp_path / "b.docx")


@pytest.mark.parametrize(
    ("module", "name"), [("docx", "t.docx"), ("pypdf", "g.pdf"), ("backports", "c.jsonl.zst")]
)
def test_a_missing_library_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str
) -> None:
    begins = {"docx": b"PK\x03\x04", "pypdf": b"%PDF-1.4", "backports": b"\x28\xb5\x2f\xfd"}
    (tmp_path / name).write_bytes(begins[module])
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=r"pip install 'sanad-core\[data\]'"):
        imported(tmp_path, tmp_path / name)


# What is asked


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("gone.csv",), "'gone.csv' is not there"),
        ((".",), "'.' is no file; name the files that are in it"),
        (("f.csv", "--form", "faqs"), "--form: no form is named 'faqs'; did you mean 'faq'?"),
        (("f.csv", "--form", "x"), "--form: no form is named 'x'; there is guide, counsel_chat"),
        ((), "Missing argument 'FILE...'"),
    ],
)
def test_usage(tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    (tmp_path / "f.csv").write_text("question,answer\nQ,A\n")
    done = run("data", "import", *args, "--out", "o.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode().startswith(f"sanad: {said}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv"]


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "c.jsonl", [MESSAGES])
    with pytest.raises(UsageError, match="would write over"):
        run_import(Wanted(files=(file,), out=file))
    with pytest.raises(UsageError, match="is a folder"):
        run_import(Wanted(files=(file,), out=tmp_path))


def test_a_file_that_may_be_of_several_forms(tmp_path: Path) -> None:
    file = tmp_path / "n.md"
    file.write_text("# Session\n\nTherapist: Hello.\nClient: Hello.\n")
    assert "may be of several forms; say --form transcript or guideline" in refused(
        tmp_path, str(file), code=2
    )
    talks, _, _ = imported(tmp_path, file, form="transcript")
    assert said(talks[0]) == [("supporter", "Hello."), ("person", "Hello.")]


def test_a_form_that_is_asked_for_is_tried_on_any_text(tmp_path: Path) -> None:
    file = tmp_path / "f.txt"
    file.write_text("Question;Answer\nQ;A, b\n")
    talks, _, _ = imported(tmp_path, file, form="faq")
    assert said(talks[0]) == [("person", "Q"), ("supporter", "A, b")]
    with pytest.raises(ContentError, match="cannot be read as 'esconv', which is ESConv"):
        imported(tmp_path, file, form="esconv")


def test_files_of_several_forms_in_one_run(tmp_path: Path) -> None:
    faq = table(tmp_path / "f.csv", ["question", "answer"], ["Q", "A"])
    (tmp_path / "x").mkdir()
    same = table(tmp_path / "x" / "f.csv", ["question", "answer"], ["Q", "A"])
    chat = jsonl(tmp_path / "c.jsonl", [MESSAGES])
    talks, _, _ = imported(tmp_path, faq, chat, same, faq)
    assert len(talks) == 3


def test_every_form_is_in_the_help_and_says_what_it_is() -> None:
    doc = (import_.help or "").replace("\n", " ")
    for name, form in FORMS.items():
        assert f" {name}" in doc
        assert form.title
    done = run("data", "--help")
    assert b"import" in done.stdout
    assert run("data", "import", "--help").returncode == 0


def test_the_verdict_on_a_run(tmp_path: Path) -> None:
    wanted = Wanted(files=(), out=tmp_path / "o")
    check(Counts(talks=1, taken=95, wrong=_counter(5)), wanted)
    with pytest.raises(ContentError, match="6 of 100 records"):
        check(Counts(talks=1, taken=94, wrong=_counter(6)), wanted)
    with pytest.raises(ContentError, match="no conversation came of 0 records"):
        check(Counts(), wanted)


def _counter(count: int) -> Any:
    from collections import Counter

    return Counter({"reason": count})


# Pieces


@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=5),
            st.none() | st.floats(allow_nan=False) | st.text(max_size=9) | st.integers(),
            max_size=4,
        ),
        max_size=6,
    ),
    st.sampled_from([None, 1]),
    st.integers(1, 9),
)
def test_json_is_read_element_by_element_as_it_is_read_whole(
    tmp_path_factory: pytest.TempPathFactory, values: list[Any], indent: int | None, chunk: int
) -> None:
    file = tmp_path_factory.mktemp("json") / "v.json"
    text = json.dumps(values, indent=indent, ensure_ascii=False)
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    before, documents.CHUNK = documents.CHUNK, chunk
    try:
        found = [*documents.elements(file)]
        within = [*documents.elements(_in_object(file, text), within="v")]
    finally:
        documents.CHUNK = before
    assert [value for _, value in found] == values
    assert [value for _, value in within] == values
    lines = text.splitlines() if indent else [text]
    assert all(1 <= line <= max(1, len(lines)) for line, _ in found)
    if indent:
        assert all(text.split("\n")[line - 1].startswith(" {") for line, _ in found)


def _in_object(file: Path, text: str) -> Path:
    other = file.with_name("o.json")
    other.write_bytes(f'{{"n": [1, {{}}], "v": {text}, "w": 0}}'.encode())
    return other


@given(
    st.lists(
        st.tuples(*[st.text(st.characters(codec="utf-8"), max_size=12)] * 2), min_size=1, max_size=9
    )
)
def test_every_row_of_a_table_is_taken_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, str]]
) -> None:
    file = table(tmp_path_factory.mktemp("csv") / "f.csv", ["question", "answer"], *found)
    needs = {"question": ("question",), "answer": ("answer",)}
    read = [item for item in rows(file, needs) if not isinstance(item, Reject)]
    kept = [(row["question"], row["answer"]) for _, row in read]
    assert kept == [row for row in found if any(field.strip() for field in row)]


@pytest.mark.parametrize(
    ("label", "role"),
    [
        ("Therapist", "supporter"), ("T2", "supporter"), ("Dr. Smith", "supporter"),
        ("CLIENT 1", "person"), ("P", "person"), ("human", "person"), ("assistant", "supporter"),
        ("Anna", None), ("system", None), ("Speaker 1", None), ("", None),
    ],
)  # fmt: skip
def test_who_a_label_is(label: str, role: str | None) -> None:
    assert role_of(label) == role


def test_the_conditions_that_topics_name() -> None:
    from sanad_core.risk import CONDITIONS

    for name in CONDITIONS:
        assert conditions(name) == (name,), name
    assert conditions("EatingDisorders") == ("eating_disorder",)
    assert conditions("post-traumatic stress") == ("ptsd",)
    assert conditions("distress", "panorama") == ()


def test_a_thread_that_is_too_long_is_rejected_row_by_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanad_data.reading import spool

    monkeypatch.setattr(spool, "LONGEST", 200)
    posts = [[1, author, "x" * 60] for author in "abab"]
    file = table(tmp_path / "f.csv", ["thread", "author", "text"], *posts, [2, "a", "x"])
    _, rejects, counts = imported(tmp_path, file)
    assert len(rejects) == counts.records == 5


def test_a_conversation_that_is_too_long_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanad_data import making
    from sanad_data.forms import transcripts

    assert LONGEST == transcripts.LONGEST
    monkeypatch.setattr(transcripts, "LONGEST", 100)
    monkeypatch.setattr(making, "LONGEST", 300)
    file = tmp_path / "t.txt"
    long = "".join(f"Therapist: {'x' * 20}\nClient: y\n" for _ in range(9))
    file.write_text(f"{long}---\nTherapist: a\nClient: b\n")
    talks, rejects, _ = imported(tmp_path, file)
    assert len(talks) == 1
    assert len(rejects) == 18
    faq = table(tmp_path / "f.csv", ["question", "answer"], ["Q", "A" * 300])
    assert len(imported(tmp_path, faq)[1]) == 1


def test_no_room_for_rows_put_aside_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    from sanad_core.errors import StoreError
    from sanad_data.reading import spool

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(spool.Spool, "add", full)
    file = table(tmp_path / "f.csv", ["thread", "author", "text"], [1, "a", "x"])
    with pytest.raises(StoreError, match="name a folder with room in SQLITE_TMPDIR"):
        imported(tmp_path, file)
    assert not list(tmp_path.glob("*.jsonl*"))
