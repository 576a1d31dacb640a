"""Whole conversations with the default policy: they hold what their files say."""

from __future__ import annotations

import pytest
from transcripts import CONVERSATIONS, INTRODUCTION, PAGE, page, play, problems_of

PLAYED = {}


@pytest.mark.parametrize("path", CONVERSATIONS, ids=lambda path: path.stem)
async def test_a_conversation_goes_as_its_file_says(path) -> None:  # type: ignore[no-untyped-def]
    played = await play(path)
    PLAYED[path.stem] = played
    assert problems_of(played) == []


async def test_the_page_shows_the_conversations_as_they_are_played() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    assert shown.startswith(INTRODUCTION)
    assert len(CONVERSATIONS) >= 20
    for path in CONVERSATIONS:
        played = await play(path)
        part = page([played])[len(INTRODUCTION) :]
        assert part in shown, f"{path.stem}: run python tests/transcripts.py"
