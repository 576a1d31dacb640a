"""Conversations under Sanad's own eyes: unsafe answers out, crises marked, names hidden."""

from __future__ import annotations

import asyncio
import atexit
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

from sanad_core.risk import Level
from sanad_data.talks import Said, Talk

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from sanad_core.types import Verdict
    from sanad_data.personal.scrubber import Scrubber

__all__ = ["Judged", "Judging", "judged", "ready", "scrubber"]

BEFORE = 8  # turns that an answer is checked with
AT_ONCE = 4  # questions that the engine has at a time: more would pass their deadlines
TRIES = 3  # at an answer that the guard could not check in time
FAILED = "guard_failed"


@dataclass(frozen=True, slots=True)
class Judging:
    """What is looked at.

    Args:
        policy: whose guard and detectors look; None: the default's.
        crisis: the level of risk from which a conversation is marked.
        guard: whether unsafe answers are taken out.
        scrub: whether personal data is put under pseudonyms, and groups get other names.
    """

    policy: str | None = None
    crisis: str = Level.MODERATE.value
    guard: bool = True
    scrub: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What became of a conversation.

    Args:
        id: its id.
        line: it as a line; empty: nothing of it is left.
        unsafe: of each answer that was taken out, the rule that it breaks and where it does.
        crisis: whether somebody is in danger in it.
        unread: whether a detector could not look at it.
        scrubbed: pseudonyms that were put in, by type.
    """

    id: str
    line: str = ""
    unsafe: tuple[tuple[str, str], ...] = ()
    crisis: bool = False
    unread: bool = False
    scrubbed: Counter[str] = field(default_factory=Counter)


def ready(judging: Judging) -> None:
    """See that there is what looks at conversations; it is used by `judged` in this process.

    Raises:
        PolicyError: there is no such policy, or it is wrong.
    """
    _judge(judging)


def judged(judging: Judging, key: bytes, lines: list[str]) -> list[Judged]:
    """What becomes of conversations.

    Args:
        judging: what is looked at.
        key: that groups get other names with, where personal data is hidden; of at most 64 bytes,
            and the same in all processes of a run.
        lines: the conversations.
    """
    talks = [Talk.model_validate_json(line) for line in lines]
    found = _judge(judging).all(talks)
    return [_hidden(one, key) for one in found] if judging.scrub else found


def _hidden(found: Judged, key: bytes) -> Judged:
    """A conversation with its names under pseudonyms, and its group under another name."""
    from sanad_data.personal.hiding import hidden, regrouped

    if not found.line:
        return found
    talk, counts = hidden(scrubber(), Talk.model_validate_json(found.line))
    return replace(found, line=regrouped(talk, key).line(), scrubbed=counts)


@cache
def scrubber() -> Scrubber:
    """The recognisers, which are made once."""
    from sanad_data.personal.scrubber import Scrubber

    return Scrubber()


@cache
def _judge(judging: Judging) -> _Judge:
    made = _Judge(judging)
    atexit.register(made.close)
    return made


class _Judge:
    """An engine on a loop of its own, as long as the process works."""

    def __init__(self, judging: Judging) -> None:
        from sanad_core import Engine

        self._judging = judging
        self._level = Level(judging.crisis)
        self._loop = asyncio.new_event_loop()
        self._engine = Engine.from_policy(judging.policy, notify=False)
        self._room = asyncio.Semaphore(AT_ONCE)

    def close(self) -> None:
        """End the engine and its loop."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self._engine.close())
            self._loop.close()

    def all(self, talks: Sequence[Talk]) -> list[Judged]:
        """What becomes of each."""
        return self._loop.run_until_complete(self._all(talks))

    async def _all(self, talks: Sequence[Talk]) -> list[Judged]:
        return list(await asyncio.gather(*map(self._one, talks)))

    async def _one(self, talk: Talk) -> Judged:
        assessments = await asyncio.gather(
            *(self._in(self._engine.screen(t.text)) for t in talk.turns if t.role == "person")
        )
        danger = any(risk.level >= self._level for found in assessments for risk in found.risks)
        unread = any(found.failures for found in assessments)
        turns, unsafe = await self._safe(talk)
        if not turns:
            return Judged(id=talk.id, unsafe=unsafe, unread=unread)
        crisis = bool(talk.crisis) or danger
        marked: bool | None = None if unread and not crisis else crisis
        kept = talk.model_copy(update={"turns": turns, "crisis": marked})
        return Judged(id=talk.id, line=kept.line(), unsafe=unsafe, crisis=crisis, unread=unread)

    async def _safe(self, talk: Talk) -> tuple[list[Said], tuple[tuple[str, str], ...]]:
        """The turns without unsafe answers; none where no answer is left."""
        if not self._judging.guard:
            return talk.turns, ()
        verdicts = await asyncio.gather(*(self._review(talk, n) for n in range(len(talk.turns))))
        pairs = list(zip(talk.turns, verdicts, strict=True))
        unsafe = tuple(
            (found[0].rule, turn.text[found[0].start : found[0].end])
            for turn, found in pairs
            if found
        )
        kept = [turn for turn, found in pairs if not found]
        answered = any(turn.role == "supporter" for turn in talk.turns)
        if answered and not any(turn.role == "supporter" for turn in kept):
            return [], unsafe
        return (_joined(kept) if unsafe else kept), unsafe

    async def _review(self, talk: Talk, place: int) -> Sequence[Verdict]:
        turn = talk.turns[place]
        if turn.role == "person":
            return ()
        before = talk.turns[max(0, place - BEFORE) : place]
        context = [(said.role == "person", said.text) for said in before]
        found: Sequence[Verdict] = ()
        for _ in range(TRIES):
            found = await self._in(self._engine.review(turn.text, context))
            if all(verdict.rule != FAILED for verdict in found):
                break
        return found

    async def _in(self, asked: Coroutine[Any, Any, Any]) -> Any:
        async with self._room:
            return await asked


def _joined(turns: Sequence[Said]) -> list[Said]:
    """Turns of the same speaker that a removed answer stood between, as one."""
    joined: list[Said] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role:
            text = f"{joined[-1].text}\n{turn.text}"
            joined[-1] = joined[-1].model_copy(update={"text": text})
        else:
            joined.append(turn)
    return joined
