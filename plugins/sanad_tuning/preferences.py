"""Reviewed pairs for preference tuning: a context, the reply that was preferred, the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, model_validator

from sanad_core.errors import ContentError
from sanad_core.schema import Strict, first_error
from sanad_data.talks import LONGEST, Said, lines
from sanad_tuning.examples import check_lines

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Pair", "read_pairs"]


class Pair(Strict):
    """A pair.

    Args:
        context: the talk before the reply, the person's message last.
        chosen: the reply that was preferred.
        rejected: the other one.
        reviewed_by: who preferred it.
    """

    context: list[Said] = Field(min_length=1)
    chosen: str = Field(min_length=1)
    rejected: str = Field(min_length=1)
    reviewed_by: str = ""

    @model_validator(mode="after")
    def _asked(self) -> Pair:
        if self.context[-1].role != "person":
            raise ValueError("the last turn of the context must be the person's")
        return self


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """The pairs of a JSONL file, as TRL wants them.

    Raises:
        ContentError: it cannot be read, lines are wrong, or it holds none.
    """
    try:
        rows = [(number, raw) for number, raw in lines(path) if raw is None or raw.strip()]
    except OSError as err:
        raise ContentError.about(path, f"cannot be read: {err.strerror}") from None
    found = [(number, _parsed(raw)) for number, raw in rows]
    check_lines(path, [(number, pair) for number, pair in found if isinstance(pair, str)])
    if not found:
        raise ContentError.about(path, "holds no pair")
    return [_row(pair) for _, pair in found if isinstance(pair, Pair)]


def _parsed(raw: bytes | None) -> Pair | str:
    """The pair of a line, or what is wrong with it, without its text."""
    if raw is None:
        return f"is longer than {LONGEST} bytes"
    try:
        return Pair.model_validate_json(raw)
    except ValidationError as err:
        return first_error(err, Pair, secret=("context", "chosen", "rejected"))


def _row(pair: Pair) -> dict[str, Any]:
    names = {"person": "user", "supporter": "assistant"}
    return {
        "prompt": [{"role": names[said.role], "content": said.text} for said in pair.context],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
    }
