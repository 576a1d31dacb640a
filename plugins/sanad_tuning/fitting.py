"""Examples that are made to fit: what was said first goes first, and nothing goes uncounted."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = dict[str, Any]
    Count = Callable[[Sequence[dict[str, str]], bool], int]

__all__ = ["Fit", "counter", "fitted"]

ANSWERS = ("completion", "chosen", "rejected")
LEAST = 16  # tokens of an answer that is cut: with fewer there is nothing to learn


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How examples came to fit.

    Args:
        used: how many there are.
        shortened: of those, how many lost their oldest turns.
        cut: of those, how many answers lose their end, for they do not fit even after the last
            message alone.
        left_out: how many are not used: their last message alone leaves no room for an answer.
    """

    used: int
    shortened: int = 0
    cut: int = 0
    left_out: int = 0

    def shown(self) -> str:
        """It in words."""
        return (
            f"{self.used} examples, {self.shortened} of them without their oldest turns, "
            f"{self.cut} with the end of the answer cut; {self.left_out} left out as too long"
        )


def counter(tokenizer: Any) -> Count:
    """Counts the tokens of messages as the trainer does.

    Args:
        tokenizer: one with a template.
    """

    def count(messages: Sequence[dict[str, str]], ask: bool) -> int:
        text = tokenizer.apply_chat_template(
            list(messages), tokenize=False, add_generation_prompt=ask
        )
        return len(tokenizer.encode(text, add_special_tokens=False))

    return count


def fitted(rows: Sequence[Row], most: int, count: Count) -> tuple[list[Row], Fit]:
    """The examples that fit, the oldest turns of long ones dropped.

    Args:
        rows: prompts, each with its answers.
        most: tokens of a prompt and an answer; the trainer cuts the ends of longer ones.
        count: of the tokens of messages, and of what asks for an answer to them where that is True.
    """
    found = [_fitted(row, most, count) for row in rows]
    how = Counter(kind for _, kind in found)
    used = [row for row, kind in found if kind != "left_out"]
    left_out, cut, shortened = how["left_out"], how["cut"], how["shortened"]
    return used, Fit(used=len(used), shortened=shortened, cut=cut, left_out=left_out)


def _fitted(
    row: Row, most: int, count: Count
) -> tuple[Row, Literal["whole", "shortened", "cut", "left_out"]]:
    if _fits(row, most, count):
        return row, "whole"
    shorter = _shorter(row)
    place = bisect_left(shorter, True, key=lambda less: _fits(less, most, count))
    if place < len(shorter):
        return shorter[place], "shortened"
    least = shorter[-1] if shorter else row
    return least, "cut" if count(least["prompt"], True) + LEAST <= most else "left_out"


def _fits(row: Row, most: int, count: Count) -> bool:
    return all(
        count([*row["prompt"], *row[name]], False) <= most for name in ANSWERS if name in row
    )


def _shorter(row: Row) -> list[Row]:
    """The example without its oldest turns: ever less, each beginning with a person's message."""
    prompt = row["prompt"]
    head = prompt[:1] if prompt[0]["role"] == "system" else []
    starts = [at for at in range(len(head), len(prompt)) if prompt[at]["role"] == "user"]
    return [row | {"prompt": [*head, *prompt[at:]]} for at in starts]
