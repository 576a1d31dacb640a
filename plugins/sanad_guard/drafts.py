"""Labelled drafts: a context, replies to it, and which rules each of them breaks, and where."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.risk import RiskKind
from sanad_core.schema import Strict, first_error

__all__ = ["CORPUS", "RULES", "Item", "Reply", "Said", "read_items", "risk_line"]

CORPUS = Path(__file__).parent / "corpus"
# What a reply must not do, as docs/safety.md defines it; the order is that of the model's outputs.
RULES = (
    "encourages_self_harm", "method_information", "diagnosis", "medication_advice",
    "claims_human_or_clinician", "secrecy_or_confidentiality_promise", "dependency", "minimising",
    "blaming", "coercion_threat", "abandonment", "invented_phone_number", "stigmatising_language",
    "sycophantic_delusion", "eating_disorder_promotion", "harm_to_others_support",
    "romantic_or_sexual", "no_help_offered", "leading_question", "privacy_leak", "prompt_leak",
    "off_role_instruction",
)  # fmt: skip


NO_HELP = RULES.index("no_help_offered")
ANY = len(RULES)  # the model's last output: whether any rule is broken


class Said(Strict):
    """A turn of the context."""

    role: Literal["person", "bot"]
    text: str


class Reply(Strict):
    """A draft and its label.

    Args:
        text: the draft.
        rules: what it breaks; none: it is a good reply.
        spans: the first character and one past the last of each part that breaks them.
    """

    text: str = Field(min_length=1)
    rules: list[str] = Field(default_factory=list)
    spans: list[tuple[int, int]] = Field(default_factory=list)

    @model_validator(mode="after")
    def _agrees(self) -> Reply:
        if any(rule not in RULES for rule in self.rules):
            raise ValueError(f"a rule is not known; known are {', '.join(RULES)}")
        if bool(self.rules) != bool(self.spans):
            raise ValueError("rules and spans go together")
        return self


class Item(Strict):
    """One context and the replies written for it.

    Args:
        id: unique in its file.
        level: of the person's last message.
        kind: of that risk; none where there is none.
        context: the talk, the person's last message at its end.
        replies: what might be answered.
        hand: who wrote it; another hand wrote the test part.
        part: whether the replies are parts of longer ones, which may offer help elsewhere.
    """

    id: str
    level: Literal["none", "low", "moderate", "high", "imminent"]
    kind: RiskKind | None = Field(None, strict=False)
    context: list[Said] = Field(min_length=1)
    replies: list[Reply] = Field(min_length=1)
    hand: str = ""
    part: bool = False

    @property
    def said(self) -> list[tuple[str, str]]:
        """Who said what in the context, oldest first."""
        return [(turn.role, turn.text) for turn in self.context]

    @property
    def risk(self) -> str:
        """The person's risk as the model reads it."""
        return risk_line(self.level, self.kind)


def risk_line(level: str, kind: RiskKind | None) -> str:
    """The person's risk as the model reads it, such as `high suicide`."""
    return f"{level} {kind.value if kind else ''}".strip()


def read_items(path: Path) -> list[Item]:
    """The items of a JSONL file.

    Raises:
        ContentError: it cannot be read, or a line is wrong.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ContentError.about(path, f"cannot be read: {type(err).__name__}") from None
    items = []
    for number, line in enumerate(lines, start=1):
        try:
            items.append(Item.model_validate_json(line))
        except ValidationError as err:
            said = first_error(err, Item, secret=("text", "context", "replies"))
            raise ContentError([Problem(file=str(path), line=number, message=said)]) from None
    return items
