"""Whole conversations with the default policy: they hold what their files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from transcripts import CONVERSATIONS, INTRODUCTION, PAGE, page, play, problems_of

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
async def test_a_conversation_goes_as_its_file_says_and_the_page_shows(path: Path) -> None:
    played = await play(path)
    assert problems_of(played) == []
    assert page([played])[len(INTRODUCTION) :] in SHOWN, "run make transcripts"


def test_there_are_conversations_of_every_sort() -> None:
    assert SHOWN.startswith(INTRODUCTION)
    assert len(CONVERSATIONS) >= 20
    assert sum(path.stem.startswith("ar-") for path in CONVERSATIONS) >= 4
