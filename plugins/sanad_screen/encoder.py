"""The model's handle: sessions that every detector of a process shares, and messages in batches."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakValueDictionary

from sanad_core.errors import ContentError
from sanad_screen.labels import OUTPUTS
from sanad_screen.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_screen.tokens import Tokens

__all__ = ["EMBED", "SCREEN", "TOKENIZER", "TRUNK", "Encoder", "Scores", "session"]

TRUNK, SCREEN, EMBED, TOKENIZER = "trunk.onnx", "screen.onnx", "embed.onnx", "tokenizer.json"
BATCH = 2048  # padded tokens run at the same time
SPREAD = 16  # rows of one batch differ by at most so many tokens: padding costs as much as text
KEPT = 16  # messages whose trunk states are kept, so that a second detector need not read them


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What the model gives for one row.

    Args:
        logits: each head's, by name.
        evidence: what each token adds to the logit of any risk.
    """

    logits: dict[str, Any]
    evidence: Any


@dataclass(slots=True, eq=False)
class _Job:
    """A row that waits for its turn."""

    row: Tokens
    branch: str
    done: Future[Any] = field(default_factory=Future)


class Encoder:
    """Reads rows; rows that wait while others are read go through together.

    One encoder per folder and process: `Encoder.of(folder)`.

    Args:
        folder: holds the tokeniser and the ONNX files.
    """

    _open: ClassVar[WeakValueDictionary[Path, Encoder]] = WeakValueDictionary()
    _opening = threading.Lock()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[_Job, None] = {}  # in the order in which they came
        self._lock = threading.Lock()
        # As many batches at a time as there are cores, each on one thread: a single message is
        # too small to be shared between threads.
        self._room = threading.Semaphore(_cores())
        self._kept: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    @classmethod
    def of(cls, folder: Path) -> Encoder:
        """The encoder of a folder, opened once for all who use it."""
        place = folder.resolve()
        with cls._opening:
            found = cls._open.get(place)
            if found is None:
                found = cls._open[place] = cls(place)
            return found

    @cached_property
    def reader(self) -> Reader:
        """Turns text into rows.

        Raises:
            ContentError: the folder has no tokeniser.
        """
        return Reader(self._file(TOKENIZER))

    @cached_property
    def _trunk(self) -> Any:
        return self._session(TRUNK)

    @cached_property
    def _screen(self) -> Any:
        return self._session(SCREEN)

    @cached_property
    def _embed(self) -> Any:
        return self._session(EMBED)

    def load(self, *branches: str) -> None:
        """Load the tokeniser and the files of these branches now.

        Raises:
            ContentError: a file is missing or is no model.
        """
        _ = self.reader, self._trunk
        for branch in branches:
            _ = self._screen if branch == SCREEN else self._embed

    def screen(self, rows: Sequence[Tokens]) -> list[Scores]:
        """The heads' outputs for each row."""
        found: list[Scores] = self._run(rows, SCREEN)
        return found

    def embed(self, rows: Sequence[Tokens]) -> list[Any]:
        """The sentence embedding of each row, of length one."""
        return self._run(rows, EMBED)

    def states(self, rows: Sequence[Tokens]) -> tuple[Any, Any]:
        """What the trunk gives for rows, and their mask, for a branch that another plugin has."""
        with self._room:
            return self._states(list(rows))

    def _run(self, rows: Sequence[Tokens], branch: str) -> list[Any]:
        jobs = [_Job(row, branch) for row in rows]
        with self._lock:
            self._waiting |= dict.fromkeys(jobs)
        try:
            while self._waits(jobs):
                with self._room:
                    batch = self._next(jobs)
                    if batch:
                        self._batch(batch)
        except BaseException:
            with self._lock:
                self._taken(jobs)
            raise
        return [job.done.result() for job in jobs]

    def _waits(self, jobs: list[_Job]) -> bool:
        """Whether any of these is in nobody's batch yet."""
        with self._lock:
            return any(job in self._waiting for job in jobs)

    def _next(self, own: list[_Job]) -> list[_Job]:
        """The next batch: one of our rows and those like it that wait, anybody's."""
        with self._lock:
            first = next((job for job in own if job in self._waiting), None)
            if first is None:
                return []
            length = len(first.row.ids)
            like = [
                job
                for job in self._waiting
                if job.branch == first.branch and abs(len(job.row.ids) - length) <= SPREAD
            ]
            like.sort(key=lambda job: job is not first)
            batch = like[: max(1, BATCH // (length + SPREAD))]
            self._taken(batch)
            return batch

    def _taken(self, jobs: list[_Job]) -> None:
        for job in jobs:
            self._waiting.pop(job, None)

    def _batch(self, batch: list[_Job]) -> None:
        try:
            results = self._results([job.row for job in batch], batch[0].branch)
        except BaseException as err:
            for job in batch:
                job.done.set_exception(err)
            raise
        for job, result in zip(batch, results, strict=True):
            job.done.set_result(result)

    def _results(self, rows: list[Tokens], branch: str) -> list[Any]:
        states, mask = self._states(rows)
        if branch == EMBED:
            return list(self._embed.run(None, {"states": states, "mask": mask})[0])
        *logits, evidence = self._screen.run(None, {"states": states, "mask": mask})
        return [
            Scores(
                logits={name: head[at] for name, head in zip(OUTPUTS, logits, strict=True)},
                evidence=evidence[at, : len(row.ids)],
            )
            for at, row in enumerate(rows)
        ]

    def _states(self, rows: list[Tokens]) -> tuple[Any, Any]:
        """The trunk's states; of a single message that was just read, the same again."""
        ids, types, mask = self.reader.padded(rows)
        alone = rows[0].ids if len(rows) == 1 else None
        with self._lock:
            kept = self._kept.get(alone) if alone is not None else None
        if kept is not None:
            return kept, mask
        (states,) = self._trunk.run(None, {"ids": ids, "types": types, "mask": mask})
        with self._lock:
            for at, row in enumerate(rows):
                if not any(row.types):
                    self._kept[row.ids] = states[at : at + 1, : len(row.ids)]
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return states, mask

    def _file(self, name: str) -> Path:
        path = self._folder / name
        if not path.is_file():
            message = "no such file; a model's folder is made by 'sanad train screen'"
            raise ContentError.about(path, message)
        return path

    def _session(self, name: str) -> Any:
        return session(self._file(name))


def session(path: Path) -> Any:
    """A model's file, loaded.

    Raises:
        ContentError: it cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The arena never gives back what one long message needed.
    options.enable_cpu_mem_arena = False
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as err:
        message = f"cannot be loaded as a model ({type(err).__name__}); train or install it again"
        raise ContentError.about(path, message) from None


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
