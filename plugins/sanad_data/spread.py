"""Work on many lines over all cores, or on a Ray cluster; what comes of it is in order."""

from __future__ import annotations

import functools
import itertools
import logging
import os
import pickle
import socket
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from sanad_core.errors import MissingExtra, SanadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["cores", "spread", "spread_options"]

T = TypeVar("T")
R = TypeVar("R")
Function = TypeVar("Function", bound="Callable[..., Any]")

BATCH = 256  # items that go to a worker at once …
BYTES = 4 * 1024 * 1024  # … or fewer, where they are long
AHEAD = 2  # batches in work for each worker of the pool: one more than it works on
WINDOW = 8  # batches for each core of a cluster that are sent to it together
WAIT = 5.0  # seconds within which a cluster answers


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    work: Callable[[list[T]], list[R]],
    items: Iterable[T],
    *,
    weigh: Callable[[T], int] | None = None,
    workers: int | None = None,
    ray: str | None = None,
) -> Iterator[R]:
    """What a function makes of batches of items, in the items' order.

    As much is in memory as is in work, however many items there are. With one worker, or one
    batch, the function runs in this process.

    Args:
        work: takes a batch and gives what comes of it, as many as it likes. Other processes find
            it by name, so it stands in a module; `functools.partial` of such a one will do.
        items: lines, or tuples that hold one, or what else can be weighed.
        weigh: about how many bytes an item holds; None: it is a line, or a tuple that holds one.
        workers: processes; None: one for each core.
        ray: the address of a Ray cluster that works instead: `HOST:PORT`, `auto` for the one that
            this machine is part of, or `local` for one that is started here. Each of its nodes has
            the same sanad-core.

    Raises:
        MissingExtra: Ray is not installed.
        UsageError: no Ray cluster is at that address.
        SanadError: a worker died, or the cluster failed.
    """
    batches = _batches(items, weigh or _weight)
    if ray is not None:
        yield from _on_ray(work, batches, ray)
        return
    first = list(itertools.islice(batches, 2))
    count = cores() if workers is None else workers
    batches = itertools.chain(first, batches)
    if count < 2 or len(first) < 2:
        yield from (done for batch in batches for done in work(batch))
    else:
        yield from _in_pool(work, batches, count)


def spread_options(function: Function) -> Function:
    """The options `--workers` and `--ray` of a command, its arguments `workers` and `ray`.

    Both together are a usage error.
    """
    workers = click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes to work in; default: one for each core.",
    )
    ray = click.option(
        "--ray", metavar="ADDRESS", help="Work on a Ray cluster: auto, HOST:PORT, or local."
    )

    @functools.wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        if options["workers"] is not None and options["ray"] is not None:
            raise click.UsageError("--workers and --ray: name one of them")
        return function(*args, **options)

    return workers(ray(cast("Function", checked)))


def _batches(items: Iterable[T], weigh: Callable[[T], int]) -> Iterator[list[T]]:
    batch: list[T] = []
    size = 0
    for item in items:
        batch.append(item)
        size += weigh(item)
        if len(batch) >= BATCH or size >= BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _weight(item: object) -> int:
    if isinstance(item, tuple):
        return sum(map(_weight, item))
    return len(item) if isinstance(item, bytes | str) else 0


def _in_pool(
    work: Callable[[list[T]], list[R]], batches: Iterable[list[T]], count: int
) -> Iterator[R]:
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # A forked copy of a process with threads may hang: workers start anew.
    pool = ProcessPoolExecutor(count, get_context("spawn"), initializer=_begin)
    waiting: deque[Future[list[R]]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) >= count * AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool:
        raise SanadError(
            f"one of {count} workers was ended from outside, for want of memory perhaps; run it "
            "again with fewer --workers"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """A worker leaves Ctrl-C to its parent, and ends with it."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()  # a parent that was killed tells nobody, and the worker would wait for ever
        os._exit(1)


def _on_ray(
    work: Callable[[list[T]], list[R]], batches: Iterator[list[T]], address: str
) -> Iterator[R]:
    with _cluster(address) as ray:
        size = WINDOW * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while window := list(itertools.islice(batches, size)):
            for done in _by_cluster(ray, work, window):
                yield from done


def _by_cluster(
    ray: Any, work: Callable[[list[T]], list[R]], window: list[list[T]]
) -> list[list[R]]:
    """A window of batches by Ray Data, a block for each batch."""
    sent = ray.cloudpickle.dumps(work)  # also of one that stands in a script
    rows = [
        {"place": place, "work": sent, "batch": pickle.dumps(batch)}
        for place, batch in enumerate(window)
    ]
    made = ray.data.from_items(rows, override_num_blocks=len(rows)).map(_worked)
    try:
        done = {row["place"]: row["done"] for row in made.iter_rows()}
    except (ray.exceptions.RayError, ConnectionError) as err:
        raise SanadError(
            f"the Ray cluster failed ({type(err).__name__}); each of its nodes needs the same "
            "sanad-core with its extras"
        ) from None
    return [pickle.loads(done[place]) for place in range(len(window))]


def _worked(row: dict[str, Any]) -> dict[str, Any]:
    work: Callable[[Any], Any] = pickle.loads(row["work"])
    return {"place": row["place"], "done": pickle.dumps(work(pickle.loads(row["batch"])))}


@contextmanager
def _cluster(address: str) -> Iterator[Any]:
    """A Ray cluster, left when the work is done unless it was there before."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster of ours reports to nobody
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra("--ray", "ray") from None
    before = ray.is_initialized()
    if not before:
        _join(ray, address)
    # Commands have a bar and messages of their own, and a trace may hold what people wrote.
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        yield ray
    finally:
        if not before:
            ray.shutdown()


def _join(ray: Any, address: str) -> None:
    try:
        _answers(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError, RuntimeError) as err:
        raise UsageError(
            f"no Ray cluster is at '{address}' ({type(err).__name__}); start one with 'ray start "
            "--head' and name it with --ray auto or --ray HOST:PORT"
        ) from None


def _answers(address: str) -> None:
    """Ray itself tries for many minutes to reach a cluster that is not there."""
    if address in ("auto", "local"):
        return
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(address)
    with socket.create_connection((host.strip("[]"), int(port)), timeout=WAIT):
        pass
