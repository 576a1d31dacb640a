"""What the encoder says of labelled drafts, and how well it tells good from bad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_guard.drafts import ANY, NO_HELP
from sanad_guard.model import likeliest
from sanad_guard.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_guard.drafts import Item
    from sanad_guard.model import GuardModel

__all__ = ["Judged", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One labelled draft as the encoder reads it.

    Args:
        rules: what it breaks, by its label.
        sentence: the highest chance that one of its sentences breaks a rule.
        whole: the chance that the whole does.
    """

    rules: tuple[str, ...]
    sentence: float
    whole: float


def judge(model: GuardModel, items: Iterable[Item]) -> list[Judged]:
    """Read every draft of these items as the guard reads it."""
    found = []
    for item in items:
        at_risk = item.level not in ("none", "low") and not item.part
        for reply in item.replies:
            pieces = model.chances(read(model.reader, reply.text, item.said, item.risk))
            whole = pieces[0].whole if len(pieces) == 1 else None
            found.append(
                Judged(
                    rules=tuple(reply.rules),
                    sentence=max(float(piece.sentences[:, ANY].max()) for piece in pieces),
                    whole=0.0 if whole is None else _whole(whole, at_risk=at_risk),
                )
            )
    return found


def _whole(row: Sequence[float], *, at_risk: bool) -> float:
    """The chance that counts for a whole draft, as the guard takes it."""
    broken = float(row[ANY]) if likeliest(row) != NO_HELP else 0.0
    return max(broken, float(row[NO_HELP]) if at_risk else 0.0)
