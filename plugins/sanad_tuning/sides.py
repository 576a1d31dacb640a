"""The two sides of a run: what is learned from, and what is held out."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ContentError
from sanad_tuning.examples import examples, read_talks
from sanad_tuning.fitting import fitted
from sanad_tuning.preferences import read_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from sanad_data.talks import Talk
    from sanad_tuning.fitting import Count, Fit
    from sanad_tuning.run import Run

    Row = dict[str, Any]

__all__ = ["Sides", "read_sides"]

HELD_OUT = 20  # one conversation in so many, where no file of held-out ones is named
LEARN, HELD = "to learn from", "held out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Examples, none of which is on both sides unless there is but one.

    Args:
        learn: those to learn from.
        held: held-out ones.
        files: where each side is from.
    """

    learn: list[Row]
    held: list[Row]
    files: tuple[Path, Path]

    def fitted(self, most: int, count: Count) -> tuple[Sides, dict[str, Fit]]:
        """The same, made to fit, and how each side came to fit.

        Args:
            most: tokens of an example.
            count: of tokens; see `sanad_tuning.fitting.fitted`.

        Raises:
            ContentError: nothing on a side fits.
        """
        learn, one = fitted(self.learn, most, count)
        held, other = fitted(self.held, most, count)
        fewer = Sides(learn=learn, held=held, files=self.files)
        fewer.check(f"holds no example {{}} that fits --max_length {most}; give a higher one")
        return fewer, {"learned": one, "held_out": other}

    def check(self, message: str) -> None:
        """Say which side is empty.

        Args:
            message: what is wrong; `{}` stands for the side.

        Raises:
            ContentError: one is.
        """
        sides = ((LEARN, self.learn), (HELD, self.held))
        for (name, rows), path in zip(sides, self.files, strict=True):
            if not rows:
                raise ContentError.about(path, message.format(name))


def read_sides(run: Run) -> Sides:
    """The examples of a run's files.

    Raises:
        ContentError: a file cannot be read, lines are wrong, or a side is empty.
    """
    files = (run.dataset_path, run.eval_path or run.dataset_path)
    learn, held = _pairs(run) if run.recipe == "dpo" else _turns(run)
    sides = Sides(learn=learn, held=held, files=files)
    sides.check("holds no supporter's turn {} that follows a person's")
    return sides


def _turns(run: Run) -> tuple[list[Row], list[Row]]:
    talks = read_talks(run.dataset_path)
    if run.eval_path is not None:
        apart = read_talks(run.eval_path)
    else:
        talks, apart = _divided(talks)
    learn = list(examples(talks, run.system))
    random.Random(run.seed).shuffle(learn)
    return learn, list(examples(apart, run.system))


def _divided(talks: list[Talk]) -> tuple[list[Talk], list[Talk]]:
    """Those to learn from, and those held out; all of a group are on one side."""
    learn: list[Talk] = []
    held: list[Talk] = []
    for talk in talks:
        (learn if _number(talk.group or talk.id) % HELD_OUT else held).append(talk)
    if not held:
        learn, held = learn[1:], learn[:1]
    return learn or talks, held


def _number(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:4])


def _pairs(run: Run) -> tuple[list[Row], list[Row]]:
    pairs = read_pairs(run.dataset_path)
    held = pairs[::HELD_OUT] if run.eval_path is None else read_pairs(run.eval_path)
    apart = {json.dumps(pair) for pair in held}
    return [pair for pair in pairs if json.dumps(pair) not in apart] or pairs, held
