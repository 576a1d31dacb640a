"""Makes replies: scripted texts, disclosures, and helplines written into either."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sanad_core.crisis import Said, next_said
from sanad_core.replies import fill
from sanad_core.types import Cause, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sanad_core.plan import Plan
    from sanad_core.replies import Filled
    from sanad_core.specs import Context
    from sanad_core.types import Conversation, Decision, Draft

__all__ = [
    "CORRECTED",
    "INTERRUPTED",
    "SCRIPTED",
    "disclosed",
    "drafted",
    "filling",
    "last_resort",
    "noted",
    "opening",
    "scripted",
    "used_scripts",
]

SCRIPTED = "scripted"
START, REMINDER = "disclosure/start", "disclosure/reminder"
# Said where a streamed reply breaks off: because it was wrong, or because its responder failed.
CORRECTED, INTERRUPTED = "support/corrected", "support/interrupted"


def used_scripts(conversation: Conversation) -> tuple[str, ...]:
    """Ids of the scripted texts that were said in the turns at hand, oldest first."""
    return tuple(script for reply in conversation.replies for script in reply.scripts)


def scripted(plan: Plan, decision: Decision, context: Context) -> Reply:
    """The scripted answer that a decision orders, helplines attached.

    Args:
        plan: its texts and helplines.
        decision: with `reply` set.
        context: the conversation, the language and the country.
    """
    book = plan.books[context.locale]
    used = used_scripts(context.conversation)
    assert decision.reply is not None
    if decision.cause in (Cause.CRISIS, Cause.HOLD):
        said = next_said(book, decision, context, plan.policy.held.reply, used)
    else:
        script = book.choose(decision.reply, decision.kind, used)
        said = Said(scripts=(script,), attach=bool(decision.helplines))
    resources = plan.registry.find(context.region, decision.helplines, decision.kinds)
    text = "\n\n".join(script.text for script in said.scripts)
    if said.full and "{{helplines" not in text:
        text += "\n\n{{helplines}}"
    filled = fill(text, book.phrases, resources, attach=said.attach)
    ids = tuple(script.id for script in said.scripts)
    return Reply(text=filled.text, responder=SCRIPTED, helplines=filled.given, scripts=ids)


def filling(plan: Plan, context: Context) -> Callable[[str], Filled]:
    """What writes helplines into a draft's text."""
    resources = plan.registry.find(context.region, ("suicide",), ())
    phrases = plan.books[context.locale].phrases
    return lambda text: fill(text, phrases, resources)


def drafted(plan: Plan, draft: Draft, context: Context) -> Reply:
    """The reply that an accepted draft becomes."""
    filled = filling(plan, context)(draft.text)
    return Reply(
        text=filled.text,
        responder=draft.source,
        helplines=filled.given,
        scripts=draft.scripts,
    )


def noted(plan: Plan, key: str, context: Context) -> Reply:
    """A scripted text without helplines: why a reply breaks off."""
    script = plan.books[context.locale].choose(key, None, used_scripts(context.conversation))
    return Reply(text=script.text, responder=SCRIPTED, scripts=(script.id,))


def opening(plan: Plan, context: Context, now: datetime) -> Reply | None:
    """The disclosure, where one is due.

    Args:
        plan: its texts and intervals.
        context: the conversation, the language and the country.
        now: the time.
    """
    key = _due(plan, context.conversation, now)
    if key is None:
        return None
    book = plan.books[context.locale]
    script = book.choose(key, None, used_scripts(context.conversation))
    resources = plan.registry.find(context.region, ("emergency",), ())
    said = fill(script.text, book.phrases, resources)
    return Reply(
        text=said.text,
        responder=SCRIPTED,
        helplines=said.given,
        scripts=(script.id,),
        disclosed=True,
    )


def disclosed(plan: Plan, reply: Reply, context: Context, now: datetime, *, first: bool) -> Reply:
    """The reply with a disclosure, where one is due.

    Args:
        plan: its texts and intervals.
        reply: without a disclosure.
        context: the conversation, the language and the country.
        now: the time.
        first: put the disclosure before the text; in a crisis the text comes first.
    """
    said = opening(plan, context, now)
    if said is None:
        return reply
    parts = (said.text, reply.text) if first else (reply.text, said.text)
    return replace(
        reply,
        text="\n\n".join(parts),
        helplines=tuple(dict.fromkeys((*reply.helplines, *said.helplines))),
        scripts=(*reply.scripts, *said.scripts),
        disclosed=True,
    )


def _due(plan: Plan, conversation: Conversation, now: datetime) -> str | None:
    policy = plan.policy
    if conversation.disclosed_at is None and policy.disclose_at_start:
        return START
    began = conversation.turns[0].at if conversation.turns else now
    last = conversation.disclosed_at or began
    if policy.disclose_every is not None and now - last >= policy.disclose_every:
        return REMINDER
    return None


def last_resort(plan: Plan, context: Context) -> Reply:
    """What is said when Sanad itself fails: the first `on_failure` text."""
    ordered = plan.policy.on_failure
    book = plan.books[context.locale]
    script = book.variants(ordered.reply)[0]
    resources = plan.registry.find(context.region, ordered.helplines, ())
    filled = fill(script.text, book.phrases, resources, attach=True)
    return Reply(text=filled.text, responder=SCRIPTED, helplines=filled.given, scripts=(script.id,))
