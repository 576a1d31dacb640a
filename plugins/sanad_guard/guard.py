"""The reply guard: what the wording of a draft shows, and what the encoder reads in it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.risk import Level, Subject
from sanad_core.text import detect_script
from sanad_core.types import Speaker, Verdict
from sanad_guard.drafts import ANY, NO_HELP, RULES, risk_line
from sanad_guard.model import PACKAGED, GuardModel, likeliest
from sanad_guard.reading import read
from sanad_guard.rules import Rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.specs import Context, Setting
    from sanad_core.types import Draft
    from sanad_guard import GuardOptions
    from sanad_guard.model import Chances

__all__ = ["ReplyGuard"]

NUMBER = "invented_phone_number"
BEFORE = 3  # earlier turns that a draft is read with


class ReplyGuard:
    """Checks drafts.

    Args:
        options: which model, or none.
    """

    def __init__(self, options: GuardOptions) -> None:
        self._options = options

    def warm(self, setting: Setting) -> None:
        """Read the wordings, learn the registry's numbers, and load the encoder if it is needed.

        Raises:
            ContentError: a data file is wrong or missing.
        """
        self._rules = Rules(setting.numbers)
        self._folder = PACKAGED
        if self._options.folder is not None:
            self._folder = (setting.folder or Path()) / self._options.folder
        if setting.generates and self._options.encoder:
            self._model.chances(read(self._model.reader, "Hello.", (), ""))

    @cached_property
    def _model(self) -> GuardModel:
        return GuardModel(self._folder)

    def check(self, draft: Draft, context: Context) -> list[Verdict]:
        """Violations in what is new of a draft."""
        found = [v for v in self._rules.check(draft.text) if v.end > draft.sent]
        at_risk = draft.whole and draft.generated and _at_risk(context)
        if at_risk and self._rules.misses(draft.text) and not _arabic(draft.text):
            found.append(self._no_help(draft))
        # Texts that people wrote and read speak of what no model should speak of. The encoder knows
        # no Arabic.
        if not self._options.encoder or not draft.generated or _arabic(draft.text):
            return found
        more = [v for v in self._read(draft, context, self._model) if v.end > draft.sent]
        # Which numbers the registry holds is known; the encoder only sees that there are some.
        return found + [v for v in more if v.rule != NUMBER]

    def _no_help(self, draft: Draft) -> Verdict:
        rule = RULES[NO_HELP]
        return Verdict(rule=rule, start=0, end=len(draft.text), why=self._rules.why[rule])

    def _read(self, draft: Draft, context: Context, model: GuardModel) -> Iterator[Verdict]:
        """What the encoder finds: the sentence, the rule it most likely breaks, and why."""
        at_risk = _at_risk(context)
        readings = read(model.reader, draft.text, _said(context), _risk(context), draft.sent)
        for chances in model.chances(readings):
            yield from self._sentences(chances, model)
            if draft.whole and len(readings) == 1:
                yield from self._whole(draft, chances, model, at_risk=at_risk)

    def _sentences(self, chances: Chances, model: GuardModel) -> Iterator[Verdict]:
        for (start, end), row in zip(chances.reading.spans, chances.sentences, strict=True):
            if row[ANY] >= model.card.sentence:
                rule = RULES[likeliest(row)]
                yield Verdict(rule=rule, start=start, end=end, why=self._rules.why[rule])

    def _whole(
        self, draft: Draft, chances: Chances, model: GuardModel, *, at_risk: bool
    ) -> Iterator[Verdict]:
        row = chances.whole
        missing = row[NO_HELP] >= model.card.whole and at_risk
        if missing and not self._rules.helps(draft.text):
            yield self._no_help(draft)
        elif row[ANY] >= model.card.whole and likeliest(row) != NO_HELP:
            rule = RULES[likeliest(row)]
            yield Verdict(rule=rule, start=0, end=len(draft.text), why=self._rules.why[rule])


def _arabic(text: str) -> bool:
    return detect_script(text) == "arabic"


def _said(context: Context) -> list[tuple[str, str]]:
    turns = [*context.conversation.turns[-BEFORE:], context.turn]
    return [
        ("person" if turn.speaker is Speaker.PERSON else "bot", turn.text)
        for turn in turns
        if turn.text.strip()
    ]


def _risk(context: Context) -> str:
    risk = context.assessment.risk
    return risk_line(risk.level.value, risk.kind)


def _at_risk(context: Context) -> bool:
    """Whether the reply must offer help: the person is at moderate risk or above."""
    return any(
        risk.level >= Level.MODERATE and risk.subject is Subject.SELF
        for risk in context.assessment.risks
    )
