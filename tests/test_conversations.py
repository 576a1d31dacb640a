"""Whole conversations with the default policy: they hold what their files say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from transcripts import CONVERSATIONS, INTRODUCTION, PAGE, page, play, problems_of

if TYPE_CHECKING:
    from pathlib import Path

SHOWN = PAGE.read_text(encoding="utf-8")


# Where the screening model or an inferred intent still leads a conversation astray. The page shows
# them as they are played; whoever mends one has to take it out here.
ASTRAY = {
    "insomnia": "takes 'im ok with it, now that theres a plan', said of sleep, for a plan to die",
    "substance": "takes drinking on top of sleeping pills for imminent, one level too high",
    "panic": "an exercise comes one step late",
    "medical": "takes 'i cant afford an ambulance', after pain in the chest, for imminent",
    "memories": "takes a dog that hears 'it' coming, told after a flashback, for abuse",
    "someone-else": "takes 'no plan. just tired of everything', said of a friend, for the person",
}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.stem,
            marks=[pytest.mark.xfail(reason=ASTRAY[path.stem], strict=False)]
            if path.stem in ASTRAY
            else [],
        )
        for path in CONVERSATIONS
    ],
)
async def test_a_conversation_goes_as_its_file_says_and_the_page_shows(path: Path) -> None:
    played = await play(path)
    assert problems_of(played) == []
    assert page([played])[len(INTRODUCTION) :] in SHOWN, "run make transcripts"


def test_there_are_conversations_of_every_sort() -> None:
    assert SHOWN.startswith(INTRODUCTION)
    assert len(CONVERSATIONS) >= 20
    assert sum(path.stem.startswith("ar-") for path in CONVERSATIONS) >= 4
