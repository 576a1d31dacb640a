"""A real vLLM server for tests, and an engine that talks to it through policies/vllm.yml."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from conftest import POLICIES

from sanad_core import Engine
from sanad_core.deployment import Deployment, NotifierPlan
from sanad_model.serve import ServeError, Server, Settings, check_cpu, check_python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PYTHON = os.environ.get("SANAD_VLLM_PYTHON", sys.executable)
UP_S = 400


def needs_vllm() -> None:
    """Skip the test where vLLM cannot run."""
    try:
        check_cpu()
        check_python(PYTHON)
    except ServeError as err:
        pytest.skip(str(err))


@contextmanager
def serving(
    model: Path, log: Callable[[str], None] = lambda _: None, **options: Any
) -> Iterator[Server]:
    """A server with a model, up and answering."""
    needs_vllm()
    settings = Settings(model=str(model), python=PYTHON, port=0, **options)
    with Server(settings, log) as found:
        found.wait(UP_S)
        yield found


def engine_of(url: str, folder: Path, **options: Any) -> Engine:
    """An engine over the shipped policy, its address changed."""
    policy = yaml.safe_load((POLICIES / "vllm.yml").read_text())
    policy["respond"]["deadline"] = "60s"
    step = policy["respond"]["chain"][0]
    step["timeout"] = "50s"
    step["options"] |= {"base_url": url, "first_token": "30s", "idle": "20s", **options}
    path = folder / "vllm.yml"
    path.write_text(yaml.safe_dump(policy, sort_keys=False))
    deployment = Deployment(notifiers=(NotifierPlan(name="on_call", use="log"),))
    return Engine.from_policy(path, deployment=deployment)
