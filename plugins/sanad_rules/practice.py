"""Exercises: offered where one fits, walked through step by step, left and taken up again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sanad_rules.composing import Said
from sanad_rules.reading import LONG

if TYPE_CHECKING:
    from sanad_core.replies import Script
    from sanad_rules.composing import Composer
    from sanad_rules.content import Exercise

__all__ = ["Practice"]

DIGRESSION = 45  # words; a message in an exercise that is about something else
LONG_AGO = 20  # turns; what somebody asks help for may have been told a while ago
STOP_WORDS = 6  # of a message in which "stop" is about the exercise
OFFER_AFTER, OFFER_EVERY = 3, 6  # turns
GENTLE = frozenset({"happy", "proud", "hopeful"})  # nobody who is glad is offered an exercise
STOPS = frozenset({"stop", "no_talk"})
# No yes to an offer, whatever else is said.
LEAVES = frozenset({"goodbye", "no_talk", "thanks", "unsure"})


@dataclass(frozen=True, slots=True)
class Practice:
    """The moves of an exercise for one message.

    Args:
        say: puts the reply together.
    """

    say: Composer

    def under_way(self) -> Said | None:
        """Go on with an exercise, leave it for something else, or stop it."""
        memory = self.say.memory
        exercise = self.say.texts.exercises.get(memory.exercise)
        if exercise is None or memory.step < 0:
            return None
        stops = not STOPS.isdisjoint(self.say.reading.intents)
        if stops and self.say.reading.words <= STOP_WORDS:
            return self._stopped()
        if memory.paused:
            return self._resumed(exercise)
        if self.say.reading.words >= DIGRESSION:
            lead, fields = self.say.lead()
            paused = self.say.paused(lead)
            return replace(paused, fields=(*fields, *paused.fields)) if paused else None
        return self._step(exercise, memory.step)

    def _step(self, exercise: Exercise, step: int, *before: Script) -> Said:
        """A step, or what is said after the last."""
        memory = self.say.memory
        if step < len(exercise.steps):
            script = self.say.choosing.of(exercise.steps[step])
            memory = replace(memory, exercise=exercise.key, step=step + 1, paused=False)
        else:
            script = self.say.choosing.of(exercise.close)
            memory = memory.ending()
        return Said((*before, script), memory)

    def _resumed(self, exercise: Exercise) -> Said | None:
        """After a pause: go on where it was left, or not."""
        if not {"yes", "next"}.isdisjoint(self.say.reading.intents):
            # The step that was left is said again, in its other wording.
            left = max(self.say.memory.step - 1, 0)
            return self._step(exercise, left, self.say.choosing.next("exercise/paused"))
        return self._stopped() if "no" in self.say.reading.intents else None

    def _stopped(self) -> Said:
        lead = self.say.choosing.next("exercise/stopped")
        return self.say.with_question(lead, memory=self.say.memory.ending())

    def offered(self) -> Said | None:
        """The answer to an offer of the reply before."""
        memory = self.say.memory
        if memory.step >= 0 or memory.offered != memory.turn - 1:
            return None
        named, intents = self._named(), self.say.reading.intents
        exercise = self.say.texts.exercises.get(memory.exercise) or named
        if exercise is None:
            return None
        if "no" in intents or "stop" in intents:
            lead = self.say.choosing.next("offer/declined")
            return self.say.with_question(lead, memory=memory.ending())
        agreed = not {"yes", "next"}.isdisjoint(intents)
        if named is not None or not agreed or not LEAVES.isdisjoint(intents):
            return None  # one asked for by name is started below, like at any other time
        return self._step(exercise, 0)

    def _named(self) -> Exercise | None:
        """An exercise that the message asks for by name."""
        for exercise in self.say.texts.exercises.values():
            if not exercise.intents.isdisjoint(self.say.reading.intents):
                return exercise
        return None

    def wanted(self) -> Said | None:
        """The person asks for an exercise, or for advice that an exercise can be."""
        if self.say.reading.words >= LONG:
            return None
        named = self._named()
        if named is not None:
            if self.say.choosing.unsaid(named.steps[0]):
                return self._step(named, 0)
            return self._instead()
        if {"exercise", "advice"}.isdisjoint(self.say.reading.intents):
            return None
        fitting = self._fitting(self.say.labels() or self.say.memory.about(LONG_AGO))
        offer = self.say.choosing.fresh(f"offer/{fitting.key}") if fitting is not None else None
        if fitting is None or offer is None:
            if "advice" in self.say.reading.intents:
                return self.say.full("answer/advice")
            choose = self.say.choosing.fresh("offer/choose")
            return Said((choose,), self.say.memory.offering("")) if choose is not None else None
        return Said((offer,), self.say.memory.offering(fitting.key))

    def _instead(self) -> Said | None:
        """Another exercise than the one done not long ago."""
        exercises = self.say.texts.exercises.values()
        other = next((e for e in exercises if self.say.choosing.unsaid(e.steps[0])), None)
        question = self.say.choosing.fresh("exercise/instead")
        if other is None or question is None:
            return None
        memory = self.say.memory.offering(other.key)
        return Said((question,), memory, (("exercise", other.name),))

    def _fitting(self, labels: tuple[str, ...]) -> Exercise | None:
        """An exercise for one of these labels that was not done or declined."""
        for label in labels:
            for exercise in self.say.texts.exercises.values():
                fits = label in exercise.conditions and exercise.key not in self.say.memory.done
                if fits and self.say.choosing.unsaid(exercise.steps[0]):
                    return exercise
        return None

    def offer(self, lead: Script) -> Said | None:
        """An offer in place of a question, where it fits and was not made lately."""
        memory = self.say.memory
        if memory.turn < OFFER_AFTER or memory.turn - memory.offered < OFFER_EVERY:
            return None
        reading = self.say.reading
        if memory.step >= 0 or not GENTLE.isdisjoint(reading.labels):
            return None
        # Not in answer to news, or to something that somebody else has.
        if reading.facts or "worse" in reading.intents:
            return None
        often = [label for label in reading.labels if memory.times(label) >= 2]
        exercise = self._fitting(tuple(often))
        offer = self.say.choosing.fresh(f"offer/{exercise.key}") if exercise is not None else None
        if exercise is None or offer is None:
            return None
        return Said((lead, offer), memory.offering(exercise.key))
