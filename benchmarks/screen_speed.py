"""Measures what the screening model costs beside its bare forward pass. Part of `make bench`."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import onnxruntime

from sanad_core import Context, Conversation, Turn
from sanad_core.specs import Setting
from sanad_core.testing import NOW
from sanad_core.types import Speaker
from sanad_screen.detector import Screen
from sanad_screen.encoder import SCREEN, TOKENIZER, TRUNK
from sanad_screen.model import PACKAGED
from sanad_screen.tokens import Reader

__all__ = ["figures"]

SANAD = str(Path(sys.executable).parent / "sanad")
LENGTHS = (15, 40, 128, 512)
SAID = (
    "so i was late for work again today and my boss said that we need to talk about it on friday "
    "but the bus did not come and then it was raining and my phone had no power left"
)
WORDS = SAID.split()


class Bare:
    """The two ONNX files on one thread, and nothing else."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._sessions = [
            onnxruntime.InferenceSession(str(PACKAGED / name), options) for name in (TRUNK, SCREEN)
        ]
        self.reader = Reader(PACKAGED / TOKENIZER)

    def run(self, ids: Any, types: Any, mask: Any) -> None:
        """One pass."""
        trunk, screen = self._sessions
        (states,) = trunk.run(None, {"ids": ids, "types": types, "mask": mask})
        screen.run(None, {"states": states, "mask": mask})


def text_of(reader: Reader, tokens: int) -> str:
    """A message of so many tokens."""
    words: list[str] = []
    for word in itertools.cycle(WORDS):
        if len(reader.message(" ".join([*words, word]), 10_000).ids) > tokens:
            break
        words.append(word)
        if len(words) % 20 == 0:
            words[-1] += "."
    return " ".join(words)


def both_ms(
    one: Callable[[], object], other: Callable[[], object], times: int = 150
) -> tuple[float, float]:
    """The medians of two kinds of call, in milliseconds.

    They take turns, so that what else the machine does slows both alike.
    """
    took = [(once_ms(one), once_ms(other)) for _ in range(times + 3)][3:]
    return statistics.median(a for a, _ in took), statistics.median(b for _, b in took)


def median_ms(function: Callable[[], object], times: int = 40) -> float:
    """The median of some calls, in milliseconds."""
    return statistics.median([once_ms(function) for _ in range(times + 3)][3:])


def once_ms(function: Callable[[], object]) -> float:
    """How long one call takes, in milliseconds."""
    began = time.perf_counter()
    function()
    return (time.perf_counter() - began) * 1000


def figures() -> list[tuple[str, str, str]]:
    """Name, aim and figure of each measurement."""
    bare, screen = Bare(), Screen()
    screen.warm(Setting())
    found = []
    for tokens in LENGTHS:
        # Another number each time: what was just read is kept for the next detector.
        text = text_of(bare.reader, tokens - 1)
        numbers = itertools.count(100)
        arrays = bare.reader.padded([bare.reader.message(f"{next(numbers)} {text}", tokens)])
        plain, whole = both_ms(
            lambda arrays=arrays: bare.run(*arrays),  # type: ignore[misc]
            lambda text=text, numbers=numbers: detect(screen, f"{next(numbers)} {text}"),  # type: ignore[misc]
        )
        shown = f"{whole:.1f} ms, bare {plain:.1f} ms: {whole / plain:.2f}x"
        found.append((f"screen, a message of {tokens} tokens", "1.3x", shown))
    huge = " ".join(WORDS * 700)[:100_000]
    took = median_ms(lambda: detect(screen, huge), 10)
    found.append(("screen, 100,000 characters", "250 ms", f"{took:.0f} ms"))
    found.append(("sanad screen FILE, screen alone, on all cores", "", rate(bare)))
    return found


def detect(screen: Screen, text: str) -> object:
    """One call of the detector."""
    turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id="1")
    return screen.detect(turn, Context(turn=turn, conversation=Conversation(id="c")))


def rate(bare: Bare, rows: int = 2000) -> str:
    """Messages a second of the command, and of the bare model with a thread a core."""
    texts = [" ".join(WORDS[n % 7 : n % 7 + 6 + n % 24]) for n in range(rows)]
    arrays = [bare.reader.padded([bare.reader.message(text)]) for text in texts]
    cores = os.cpu_count() or 1
    began = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda given: bare.run(*given), arrays))
    plain = rows / (time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        policy = Path(folder) / "policy.yml"
        minimal = Path(__file__).resolve().parent.parent / "policies" / "minimal.yml"
        policy.write_text(minimal.read_text().replace("use: lexicon", "use: screen"))
        took = {}
        for count in (1, rows):
            part = Path(folder) / f"{count}.jsonl"
            part.write_text("".join(file.read_text().splitlines(keepends=True)[:count]))
            began = time.perf_counter()
            command = [SANAD, "screen", str(part), "--policy", str(policy)]
            subprocess.run(command, check=True, capture_output=True)
            took[count] = time.perf_counter() - began
    own = (rows - 1) / (took[rows] - took[1])
    return f"{own:.0f}/s, bare model {plain:.0f}/s"
