"""Reviewed pairs for preference tuning: a context, the reply that was preferred, the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from sanad_core.errors import ContentError
from sanad_core.problems import Problem
from sanad_core.schema import Strict, first_error
from sanad_data.talks import Said

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


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """The pairs of a JSONL file, as TRL wants them.

    Raises:
        ContentError: it cannot be read, a line is wrong, or it holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as err:
        raise ContentError.about(path, f"cannot be read: {type(err).__name__}") from None
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            pair = Pair.model_validate_json(line)
        except ValidationError as err:
            said = first_error(err, Pair, secret=("context", "chosen", "rejected"))
            raise ContentError([Problem(file=str(path), line=number, message=said)]) from None
        found.append(_row(pair))
    if not found:
        raise ContentError.about(path, "holds no pair")
    return found


def _row(pair: Pair) -> dict[str, Any]:
    names = {"person": "user", "supporter": "assistant"}
    return {
        "prompt": [{"role": names[said.role], "content": said.text} for said in pair.context],
        "chosen": [{"role": "assistant", "content": pair.chosen}],
        "rejected": [{"role": "assistant", "content": pair.rejected}],
    }
