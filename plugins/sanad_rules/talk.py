"""One reply: which move to make, and in which words.

A reply is a lead, which says something back, and at most one question or offer. The moves are tried
in order and the first that fits is made: answer what was asked about the bot, go on with an
exercise, greet, follow up something worrying, notice a change, and else listen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sanad_core.crisis import INTENTS
from sanad_rules.practice import Practice
from sanad_rules.reading import LONG, SHORT
from sanad_rules.saying import recalled

if TYPE_CHECKING:
    from sanad_rules.composing import Composer, Fields, Said
    from sanad_rules.memory import Told

__all__ = ["Talk"]

SOCIAL = ("goodbye", "thanks", "sorry", "how_are_you", "greet")
SOCIAL_WORDS = 10  # a greeting in a longer message is not what the message is about
# Done by the moves below, not by a plain answer.
_OTHER_MOVES = frozenset(
    (*SOCIAL, "yes", "no", "unsure", "better", "worse", "same", "advice", "silence", "retraction")
)
ABOUT = tuple(intent for intent in INTENTS if intent not in _OTHER_MOVES)
FOLLOW_UP = 3  # replies after a crisis text that stay with it
RECALL_AFTER, RECALL_EVERY = 4, 4  # turns
RECALL_WORDS = 9  # of a message that brings nothing new
LIGHTER = 0.4  # mood beyond which a message counts as light or heavy


@dataclass(frozen=True, slots=True)
class Talk:
    """The moves of the talk for one message.

    Args:
        say: puts the reply together.
        concern: how many replies ago a crisis text was said, and its kind; 0 for none.
    """

    say: Composer
    concern: tuple[int, str]

    def reply(self) -> Said:
        """The first move that fits; listening always does."""
        practice = Practice(self.say)
        moves = (
            self._huge, self._about, practice.under_way, practice.offered, practice.wanted,
            self._odd, self._social, self._after_concern, self._changed, self._answered,
        )  # fmt: skip
        made = (move() for move in moves)
        return next((said for said in made if said is not None), None) or self._listen()

    def _huge(self) -> Said | None:
        return self.say.full("odd/huge") if self.say.reading.odd == "huge" else None

    def _odd(self) -> Said | None:
        if not self.say.reading.odd:
            return None
        return self.say.full(f"odd/{self.say.reading.odd}")

    def _about(self) -> Said | None:
        """Answer what was asked about the bot, its rules and its limits."""
        if self.say.reading.words >= LONG:
            return None  # a question in passing is not what a long message is about
        for intent in ABOUT:
            if intent in self.say.reading.intents and f"answer/{intent}" in self.say.texts.scripts:
                return self.say.full(f"answer/{intent}")
        if "retraction" in self.say.reading.intents and self.concern[0]:
            return self.say.full("answer/retraction")
        return None

    def _social(self) -> Said | None:
        if self.say.reading.words > SOCIAL_WORDS or self.say.reading.labels:
            return None
        done = next((intent for intent in SOCIAL if intent in self.say.reading.intents), None)
        return self.say.full(f"answer/{done}") if done is not None else None

    def _after_concern(self) -> Said | None:
        """Stay with something worrying that was said and asked about."""
        ago, kind = self.concern
        if not 1 <= ago <= FOLLOW_UP:
            return None
        lead = self.say.choosing.fresh(f"after/{kind}", "after/other")
        if lead is None or self.say.choosing.fresh("ask/after") is None:
            return None
        fields: Fields = ()
        if ago > 1 and self.say.reading.words > SHORT:
            lead, fields = self.say.lead()
        return replace(self.say.asking(lead, "ask/after"), fields=fields)

    def _changed(self) -> Said | None:
        """Notice that the person is better or worse, or sounds so."""
        for change in ("better", "worse", "same"):
            if change in self.say.reading.intents:
                lead = self.say.choosing.fresh(f"change/{change}")
                return self.say.with_question(lead, change) if lead is not None else None
        *before, now = (*self.say.memory.moods, self.say.reading.mood or 0.0)
        if len(before) >= 2 and abs(now) >= LIGHTER and not self.say.reading.labels:
            sign = 1 if now > 0 else -1
            if all(mood * sign <= -LIGHTER for mood in before[-2:]):
                lead = self.say.choosing.fresh("change/lighter" if now > 0 else "change/heavier")
                return self.say.with_question(lead) if lead is not None else None
        return None

    def _answered(self) -> Said | None:
        """A bare yes, no or don't know to what was asked."""
        if self.say.reading.words > SHORT or self.say.reading.labels:
            return None
        for answer in ("unsure", "no", "yes"):
            if answer in self.say.reading.intents:
                lead = self.say.choosing.fresh(f"answer/{answer}")
                return self.say.with_question(lead) if lead is not None else None
        return None

    def _listen(self) -> Said:
        """Say back what was said, and ask one open question, or offer something to do."""
        remembered = self._remembered()
        if remembered is not None:
            return remembered
        lead, fields = self.say.lead()
        if self.say.reading.words >= LONG:
            return replace(self.say.asking(lead, "ask/long", "ask/open"), fields=fields)
        offered = Practice(self.say).offer(lead)
        if offered is not None:
            return replace(offered, fields=fields)
        if self.say.reading.words <= SHORT and not self.say.labels():
            return replace(self.say.asking(lead, "ask/short", "ask/open"), fields=fields)
        return replace(self.say.with_question(lead), fields=fields)

    def _remembered(self) -> Said | None:
        """Come back to something told turns ago, where this message brings nothing new."""
        reading, memory = self.say.reading, self.say.memory
        new = reading.labels or reading.facts or reading.clauses
        heavy = reading.mood is not None and reading.mood <= -LIGHTER
        if new or heavy or reading.words > RECALL_WORDS:
            return None
        if memory.turn - memory.recalled < RECALL_EVERY:
            return None
        for told in sorted(memory.told, key=_worth):
            old_enough = memory.turn - told.turn >= RECALL_AFTER
            lead = self.say.choosing.fresh(f"recall/{told.label}") if old_enough else None
            if lead is not None and not told.recalled:
                said = recalled(told.said, self.say.texts.saying_back)
                memory = memory.recalling(told)
                asking = self.say.asking(lead, "ask/recall", "ask/open", memory=memory)
                return replace(asking, fields=(("said", said),))
        return None


def _worth(told: Told) -> int:
    """What is recalled first: a plan, then a fact, then something said."""
    return {"plan": 0, "said": 2}.get(told.label, 1)
