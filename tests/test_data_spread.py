"""Import, clean and check make the same of a file in one process, in several, and on Ray."""

from __future__ import annotations

import csv
import json
import pickle
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from conftest import run

from sanad_core import errors
from sanad_core.errors import SanadError
from sanad_core.problems import Problem
from sanad_data.spread import spread

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.data

CANARY = "CANARY-91"
WORDS = Path(__file__).read_text("utf-8").split()
ROWS = 1100  # more batches than are sent to two cores at a time
BROKEN = 700  # the row of which one cell is missing


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions and answers; some come twice, one row is short."""
    path = tmp_path_factory.mktemp("spread") / "faq.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer"])
        for number in range(ROWS):
            chance = Random(number % 1000)
            texts = [" ".join(chance.choices(WORDS, k=12)) for _ in range(2)]
            asked = f"I feel low and {texts[0]} {CANARY}"
            rows.writerow([asked, "" if number == BROKEN else f"That is hard, and {texts[1]}"])
    return path


def imported(table: Path, out: Path, *options: str) -> Path:
    done = run("data", "import", str(table), "--form", "faq", "--out", str(out), *options)
    assert done.returncode == 0, done.stderr
    assert f"{ROWS:,} records in: {ROWS - 1:,} taken, 1 rejected" in done.stdout.decode()
    return out


def cleaned(talks: Path, out: Path, *options: str) -> Path:
    command = ("data", "clean", str(talks), "--keep-unsafe", "--keep-personal")
    done = run(*command, "--language", "any", "--out", str(out), *options, timeout=300)
    assert done.returncode == 0, done.stderr
    assert CANARY.encode() not in done.stdout + done.stderr
    return out


def checked(talks: Path, *options: str) -> object:
    done = run("data", "check", str(talks), "--json", *options, timeout=300)
    assert done.returncode == 1, done.stderr  # the licence is not known
    assert b"Traceback" not in done.stderr
    assert CANARY.encode() not in done.stderr
    return json.loads(done.stdout)


def everything(table: Path, folder: Path, *options: str) -> list[object]:
    talks = imported(table, folder / "talks.jsonl", *options)
    clean = cleaned(talks, folder / "clean.jsonl", *options)
    rejects = talks.with_name("talks.jsonl.rejects.jsonl")
    files = (talks, rejects, clean, clean.with_name("clean.jsonl.removed.jsonl"))
    return [*(path.read_bytes() for path in files), checked(clean, *options)]


@pytest.fixture(scope="module")
def alone(table: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    return everything(table, tmp_path_factory.mktemp("alone"), "--workers", "1")


def test_several_processes_make_the_same(table: Path, alone: list[object], tmp_path: Path) -> None:
    assert everything(table, tmp_path, "--workers", "2") == alone
    assert not list(tmp_path.glob("*.part"))


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    yield made.address
    made.shutdown()


@pytest.mark.models
def test_a_real_ray_cluster_makes_the_same(
    table: Path, alone: list[object], cluster: str, tmp_path: Path
) -> None:
    assert everything(table, tmp_path, "--ray", cluster) == alone


def test_every_error_comes_out_of_a_worker_as_it_was() -> None:
    problem = Problem(file="f", line=3, column=1, message="is wrong")
    made: dict[str, SanadError] = {
        "ServiceError": errors.ServiceError("http_500", late=True),
        "Declined": errors.Declined("refusal"),
        "MissingExtra": errors.MissingExtra("data clean", "data"),
    }
    for name in errors.__all__:
        kind = getattr(errors, name)
        config = issubclass(kind, errors.ConfigError)
        error = made.get(name) or kind([problem, problem] if config else "is wrong")
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is kind
        assert (str(again), vars(again)) == (str(error), vars(error))


def missing(batch: list[bytes]) -> list[bytes]:
    raise errors.MissingExtra("data clean", "data")


def test_a_missing_extra_in_a_worker_is_named() -> None:
    with pytest.raises(errors.MissingExtra, match="'data clean' needs an extra"):
        list(spread(missing, [b"x"] * 1000, workers=2))


def test_what_comes_before_a_break_is_still_accounted_for(tmp_path: Path) -> None:
    from backports import zstd

    chance = Random(5)
    words = (chance.randbytes(500).hex() for _ in range(900))  # long: it is read piece by piece
    rows = (f"{asked},{'an answer' if number % 3 else ''}" for number, asked in enumerate(words))
    file = tmp_path / "cut.csv.zst"
    packed = zstd.compress("\n".join(["question,answer", *rows]).encode())
    file.write_bytes(packed[: len(packed) // 2])
    out = tmp_path / "out.jsonl"
    done = run("data", "import", str(file), "--form", "faq", "--out", str(out), "--workers", "2")
    assert done.returncode == 1
    assert not out.exists()
    rejects = out.with_name("out.jsonl.rejects.jsonl").read_text("utf-8").splitlines()
    # Those of the rows that were read before it broke off, and where it did.
    assert len(rejects) > 100
    assert "is cut off" in rejects[-1]
