"""What data files compile to is kept between starts, and never trusted further than the files."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import pytest

from sanad_core.cache import cached
from sanad_core.errors import ContentError
from sanad_core.replies import ReplyBook, load_replies

if TYPE_CHECKING:
    from pathlib import Path

REPLIES = """replies: 1
locale: en
reviewed_by: []
source: test
phrases: {emergency: "{number}", emergency_unknown: x, line: "{name} {ways}", call: "{number}",
  text: "{number}", text_keyword: "{keyword} {number}", chat: "{url}", hours: "{hours}",
  join_ways: " or ", directory: "{url}"}
texts:
  - key: hello
    variants: [{id: a, text: TEXT}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SANAD_CACHE", str(tmp_path / "cache"))
    (tmp_path / "en.yml").write_text(REPLIES.replace("TEXT", "first"))
    return tmp_path


def said(folder: Path) -> str:
    return load_replies([folder], "en").variants("hello")[0].text


def kept(folder: Path) -> list[Path]:
    return sorted((folder / "cache").glob("*.pickle"))


def test_a_second_reading_takes_what_was_kept(folder: Path) -> None:
    assert said(folder) == "first"
    (path,) = kept(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    book = pickle.loads(path.read_bytes())
    other = ReplyBook("en", book.phrases, {"hello": ()})
    path.write_bytes(pickle.dumps(other))
    assert load_replies([folder], "en").variants("hello") == ()


def test_a_changed_file_is_read_again(folder: Path) -> None:
    assert said(folder) == "first"
    (folder / "en.yml").write_text(REPLIES.replace("TEXT", "second"))
    assert said(folder) == "second"


def test_a_file_with_a_problem_is_never_kept(folder: Path) -> None:
    (folder / "en.yml").write_text(REPLIES.replace("id: a", "ID: a"))
    for _ in range(2):
        with pytest.raises(ContentError):
            said(folder)
    assert kept(folder) == []


class Harm:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("spoil", ["garbage", "empty", "other type", "harm", "writable"])
def test_a_kept_file_that_is_odd_is_not_used(folder: Path, spoil: str) -> None:
    assert said(folder) == "first"
    (path,) = kept(folder)
    good = path.read_bytes()
    spoilt = {
        "garbage": b"\x80\x05garbage",
        "empty": b"",
        "other type": pickle.dumps({"a": 1}),
        "harm": pickle.dumps(Harm(str(folder / "harmed"))),
        "writable": good.replace(b"first", b"other"),
    }[spoil]
    path.write_bytes(spoilt)
    if spoil == "writable":
        path.chmod(0o666)
    assert said(folder) == "first"
    assert not (folder / "harmed").exists()


def test_it_can_be_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANAD_CACHE", "off")
    assert said(folder) == "first"
    assert kept(folder) == []


def test_a_folder_that_cannot_be_written_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANAD_CACHE", str(folder / "en.yml" / "inside a file"))
    assert said(folder) == "first"


def test_old_files_go(folder: Path) -> None:
    for number in range(60):
        (folder / "en.yml").write_text(REPLIES.replace("TEXT", f"text {number}"))
        assert said(folder) == f"text {number}"
    assert len(kept(folder)) <= 41


def test_what_making_raises_is_raised(folder: Path) -> None:
    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached(str, "x", [], fail)


def test_everything_that_ships_is_taken_from_what_was_kept(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from sanad_lexicon import content as lexicon
    from sanad_rules.content import TEXTS, load_texts

    with caplog.at_level("DEBUG", logger="sanad"):
        for _ in range(2):
            lexicon._load.cache_clear()
            lexicon.load_language("en", [lexicon.DATA])
            load_texts("en", [TEXTS])
    assert len(kept(folder)) == 2
    assert "not used" not in caplog.text
