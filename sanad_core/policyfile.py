"""The policy file's form: every key, its type and its default."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from sanad_core.schema import Duration, Name, Strict
from sanad_core.text import duration

__all__ = [
    "UNTIL_ACKNOWLEDGED",
    "CrisisRule",
    "Disclosure",
    "GuardPart",
    "GuardStep",
    "HeldPart",
    "Notify",
    "OnFailure",
    "PolicyFile",
    "RespondPart",
    "ResponderStep",
    "RiskTest",
    "SignalTest",
    "Step",
    "When",
]

LevelName = Literal["none", "low", "moderate", "high", "imminent"]
KindName = Literal[
    "suicide",
    "self_injury",
    "harm_to_others",
    "abuse_victim",
    "psychosis",
    "eating_disorder",
    "substance",
    "medical_emergency",
]
HelplineName = Literal[
    "emergency",
    "for_kind",
    "suicide",
    "abuse",
    "substance",
    "eating_disorder",
    "poison",
    "children",
]


def _check_hold(text: str) -> str:
    if text != UNTIL_ACKNOWLEDGED:
        try:
            length = duration(text)
        except ValueError as err:
            raise ValueError(f"{err}, or write '{UNTIL_ACKNOWLEDGED}'") from None
        if length < SHORTEST_HOLD:
            raise ValueError(f"'{text}' is too short for crisis mode; use at least 10m")
    return text


def _check_timeout(text: str) -> str:
    if duration(text) > LONGEST_TIMEOUT:
        raise ValueError(f"'{text}' is too long for a person to wait; use at most 5m")
    return text


SHORTEST_HOLD = timedelta(minutes=10)
LONGEST_TIMEOUT = timedelta(minutes=5)
Timeout = Annotated[str, AfterValidator(_check_timeout)]
UNTIL_ACKNOWLEDGED = "until_acknowledged"
HoldLength = Annotated[str, AfterValidator(_check_hold)]


def _for_kind() -> list[HelplineName]:
    return ["for_kind"]


def _urgent() -> list[HelplineName]:
    return ["emergency", "suicide"]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class RiskTest(Strict):
    """Tests the risks of a message; only entries of the named kinds and subject are looked at."""

    at_least: LevelName | None = Field(None, description="some entry reaches this level")
    at_most: LevelName | None = Field(None, description="no entry is above this level")
    kind: Annotated[list[KindName], BeforeValidator(_listed)] | None = Field(
        None, description="one kind or a list; default: every kind", min_length=1
    )
    subject: Literal["self", "other"] | None = Field(None, description="default: both")

    @model_validator(mode="after")
    def _asks_something(self) -> RiskTest:
        if self.at_least is None and self.at_most is None:
            raise ValueError("a risk test needs 'at_least' or 'at_most'")
        return self


class SignalTest(Strict):
    """Tests for a signal of a detector."""

    kind: Name = Field(description="such as condition, sentiment, emotion or intent")
    label: Name = Field(description="such as insomnia")
    at_least: float = Field(0.5, ge=0, le=1, description="lowest score that counts")


class When(Strict):
    """A condition; several keys together must all hold."""

    model_config = ConfigDict(populate_by_name=True)

    risk: RiskTest | None = None
    signal: SignalTest | None = None
    failure: Name | None = Field(None, description="the named step failed")
    held: bool | None = Field(None, description="the conversation is in crisis mode")
    all: list[When] | None = Field(None, description="all of these hold", min_length=1)
    any: list[When] | None = Field(None, description="one of these holds", min_length=1)
    not_: When | None = Field(None, alias="not", description="this does not hold")

    @model_validator(mode="after")
    def _asks_something(self) -> When:
        if not self.model_fields_set or all(
            getattr(self, name) is None for name in type(self).model_fields
        ):
            raise ValueError("a condition needs risk, signal, failure, held, all, any or not")
        return self


class Step(Strict):
    """A component and how it is run."""

    use: Name = Field(description="the component's name")
    name: Name | None = Field(None, description="the step's name; default: the same as `use`")
    required: bool = Field(False, description="if it fails, `on_failure` answers")
    timeout: Timeout = Field("2s", description="its deadline, at most 5m")
    options: dict[str, Any] = Field(default_factory=dict, description="the component's own options")


class ResponderStep(Strict):
    """A responder in the chain."""

    use: Name = Field(description="the responder's name")
    name: Name | None = Field(None, description="the step's name; default: the same as `use`")
    when: When | None = Field(None, description="it is asked only where this holds")
    timeout: Timeout = Field("8s", description="its deadline, at most 5m")
    options: dict[str, Any] = Field(default_factory=dict, description="the component's own options")


class GuardStep(Strict):
    """A check on every draft."""

    use: Name = Field(description="the guard's name")
    name: Name | None = Field(None, description="the step's name; default: the same as `use`")
    timeout: Timeout = Field("1s", description="its deadline, at most 5m")
    options: dict[str, Any] = Field(default_factory=dict, description="the component's own options")


def _to(value: object) -> object:
    return {"to": value} if isinstance(value, str) else value


class Notify(Strict):
    """Who is told when a rule fires."""

    to: Name = Field(description="a notifier of sanad.yml")
    include: list[Literal["text"]] = Field(
        default_factory=list, description="[text] sends the message's text; default: it stays here"
    )


class CrisisRule(Strict):
    """An override: the first rule that matches answers, before and instead of any responder."""

    rule: Name = Field(description="the rule's name")
    when: When
    reply: Name = Field(description="key of the scripted text; the kind of risk is added to it")
    helplines: list[HelplineName] = Field(default_factory=_for_kind)
    notify: list[Annotated[Notify, BeforeValidator(_to)]] = Field(default_factory=list)
    hold: HoldLength | None = Field(
        None, description="crisis mode for this long; or until_acknowledged"
    )


class HeldPart(Strict):
    """What answers while a conversation is in crisis mode and no rule fires."""

    reply: Name = "crisis/held"
    helplines: list[HelplineName] = Field(default_factory=_for_kind)


class OnFailure(Strict):
    """What answers when a required step failed and no crisis rule fires."""

    reply: Name = "crisis/cannot_check"
    helplines: list[HelplineName] = Field(default_factory=_urgent)
    notify: list[Annotated[Notify, BeforeValidator(_to)]] = Field(default_factory=list)


class RespondPart(Strict):
    """Who answers when nothing overrides."""

    deadline: Timeout = Field("12s", description="for the whole chain, guard included")
    chain: list[ResponderStep] = Field(min_length=1)
    fallback: Name = Field("support/fallback", description="scripted text when no draft passes")


class GuardPart(Strict):
    """The checks on drafts."""

    checks: list[GuardStep] = Field(min_length=1)
    on_block: Literal["next", "scripted"] = Field(
        "next", description="next: ask the next responder; scripted: send the fallback at once"
    )


class Disclosure(Strict):
    """When the person is told that this is an AI."""

    at_start: bool = True
    every: Duration | None = Field("3h", description="at least this often; null: only at the start")


class PolicyFile(Strict):
    """A whole policy."""

    sanad: Literal[1] = Field(description="version of this format")
    name: Name
    locales: list[Name] = Field(min_length=1, description="languages, the default one first")
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        None, description="country whose helplines are given; sanad.yml or a caller can change it"
    )
    allow_no_floor: bool = Field(
        False, description="run without a required in-process risk detector; logged at every start"
    )
    detect: list[Step] = Field(min_length=1)
    crisis: list[CrisisRule] = Field(min_length=1)
    held: HeldPart = Field(default_factory=HeldPart)
    on_failure: OnFailure = Field(default_factory=OnFailure)
    respond: RespondPart
    guard: GuardPart
    disclosure: Disclosure = Field(default_factory=Disclosure)
