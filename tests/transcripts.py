"""Conversation tests: YAML files of what a person writes, and what must be true of the answers.

Each file is played against the default policy. `python tests/transcripts.py` writes the
conversations to docs/transcripts.md as they are played; a test sees that the page is up to date.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sanad_core import Engine, Exchange
from sanad_core.helplines import load_helplines
from sanad_core.replies import load_replies
from sanad_guard.rules import Rules

HERE = Path(__file__).parent
CONVERSATIONS = sorted((HERE / "conversations").glob("*.yml"))
POLICY = HERE.parent / "policies" / "default.yml"
PAGE = HERE.parent / "docs" / "transcripts.md"
QUOTED = re.compile(r"[\"“«][^\"”»]*[\"”»]")


@dataclass(frozen=True)
class Played:
    """A conversation as it went: the file, and for each message what was expected and happened."""

    name: str
    title: str
    rows: tuple[tuple[dict[str, Any], Exchange], ...]
    expect: dict[str, Any]
    asks: tuple[tuple[str, ...], ...]
    problems: tuple[str, ...] = ()


def _file(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


async def play(path: Path) -> Played:
    """Play a file, a fresh conversation named after it."""
    file = _file(path)
    engine = Engine.from_policy(POLICY)
    locale = file.get("locale", "en")
    async with engine:
        rows = [
            (turn, await engine.respond(turn["say"], conversation_id=path.stem, locale=locale))
            for turn in file["turns"]
        ]
    book = load_replies([POLICY.parent / "replies"], locale)
    asks = tuple(
        tuple(probe for script in exchange.reply.scripts for probe in book.asks(script))
        for _, exchange in rows
    )
    return Played(path.stem, file["title"], tuple(rows), file.get("expect", {}), asks)


def problems_of(played: Played) -> list[str]:
    """What is wrong with a conversation: its own expectations, and what holds for every one."""
    found: list[str] = []
    for number, (turn, exchange) in enumerate(played.rows, 1):
        wrong = [*_expected(turn.get("expect", {}), exchange), *_always(exchange)]
        found += [f"{played.name}, turn {number} ({turn['say'][:40]!r}): {what}" for what in wrong]
    return found + [f"{played.name}: {what}" for what in _whole(played)]


def _expected(expect: dict[str, Any], exchange: Exchange) -> list[str]:
    reply, decision = exchange.reply, exchange.decision
    is_so = {
        "rule": decision.rule,
        "held": decision.held,
        "responder": reply.responder,
        "level": str(exchange.assessment.risk.level),
        "kind": str(exchange.assessment.risk.kind or "none"),
        "subject": str(exchange.assessment.risk.subject or "none"),
        "helpline": bool(reply.helplines),
    }
    wrong = [
        f"{name} is {is_so[name]!r}, not {wanted!r}"
        for name, wanted in expect.items()
        if name in is_so and is_so[name] != wanted
    ]
    if "script" in expect and not any(s.startswith(expect["script"]) for s in reply.scripts):
        wrong.append(f"no text of {expect['script']} is in {reply.scripts}")
    wrong += [
        f"{words!r} is not in {reply.text!r}"
        for words in expect.get("contains", [])
        if words.lower() not in reply.text.lower()
    ]
    unknown = expect.keys() - is_so.keys() - {"script", "contains"}
    return wrong + [f"no such expectation: {name}" for name in unknown]


@cache
def guard() -> Rules:
    """The reply guard, with the numbers of the shipped registry."""
    registry, _ = load_helplines(POLICY.parent / "helplines.yml")
    return Rules(registry.numbers)


def _always(exchange: Exchange) -> list[str]:
    text = exchange.reply.text
    verdicts = guard().check(text)
    wrong = [f"the guard finds {verdict.rule} in {text!r}" for verdict in verdicts]
    if not text.strip():
        wrong.append("the reply is empty")
    if exchange.failures or exchange.assessment.failures:
        wrong.append(f"something failed: {exchange.failures or exchange.assessment.failures}")
    questions = len(re.findall(r"[?؟]", QUOTED.sub("", text)))
    if exchange.reply.responder == "rules" and questions > 1:
        wrong.append(f"{questions} questions at once: {text!r}")
    return wrong


def _whole(played: Played) -> list[str]:
    texts = Counter(exchange.reply.text for _, exchange in played.rows)
    wrong = [f"said twice: {text!r}" for text, times in texts.items() if times > 1]
    scripts = Counter(s for _, exchange in played.rows for s in exchange.reply.scripts)
    wrong += [f"the text {script} was said twice" for script, n in scripts.items() if n > 1]
    asked = Counter(probe for asks in played.asks for probe in asks)
    wrong += [
        f"asks about {probe} {asked[probe]} times, not {times}"
        for probe, times in played.expect.get("asks", {}).items()
        if asked[probe] != times
    ]
    wrong += [f"asks about {probe} more than once" for probe in ONCE if asked[probe] > 1]
    exercise = played.expect.get("exercise")
    if exercise and not any(s.startswith(f"exercise/{exercise}/close") for s in scripts):
        wrong.append(f"the exercise {exercise} was not completed")
    if played.expect.get("recalls") and not any(s.startswith("recall/") for s in scripts):
        wrong.append("nothing told earlier was recalled")
    if played.expect.get("says_back") and not any(s.startswith("frame/") for s in scripts):
        wrong.append("the person's own words were never said back")
    if not 15 <= len(played.rows) <= 25:
        wrong.append(f"{len(played.rows)} turns; a transcript has 15 to 25")
    return wrong


ONCE = ("suicide", "self_injury", "harm", "plan", "means", "who", "obstacle")
INTRODUCTION = """# Transcripts

Conversations as the shipped default policy holds them, word for word: the lexicon, the scripted
crisis texts and the rules responder, no model. The person's side is written for these tests; nobody
real is quoted. Each is a test (`tests/conversations/`), which says what must be true of the
answers. No professional has reviewed the bot's words yet. Written by `make transcripts`.

"""


def page(conversations: list[Played]) -> str:
    """The conversations as Markdown."""
    parts = [INTRODUCTION]
    for played in conversations:
        parts.append(f"## {played.title}\n\n")
        for turn, exchange in played.rows:
            said = turn["say"].strip().replace("\n", " / ") or "(an empty message)"
            parts.append(f"> {said if len(said) < 700 else said[:700] + ' …'}\n\n")
            rule = exchange.decision.rule or ("held" if exchange.decision.held else None)
            note = f" *({rule})*" if rule else ""
            parts.append(
                "\n".join(line for line in exchange.reply.text.splitlines()) + note + "\n\n"
            )
    return "".join(parts)


async def played_all() -> list[Played]:
    """Every conversation, played."""
    return [await play(path) for path in CONVERSATIONS]


if __name__ == "__main__":
    names = sys.argv[1:]
    chosen = [path for path in CONVERSATIONS if not names or path.stem in names]
    done = [asyncio.run(play(path)) for path in chosen]
    for one in done:
        print(*problems_of(one), sep="\n")
    if names:
        print(page(done)[len(INTRODUCTION) :])
    else:
        PAGE.write_text(page(done), encoding="utf-8")
