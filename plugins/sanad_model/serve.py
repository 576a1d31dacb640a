"""A vLLM server as a process: started, waited for, its log passed on, stopped cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.errors import SanadError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

__all__ = ["ServeError", "Server", "Settings", "check_cpu", "check_python", "snippet"]

CPUINFO = Path("/proc/cpuinfo")
STOP_S = 20.0
LAST_LINES = 15  # of the log, told when the server ends by itself


class ServeError(SanadError):
    """The server cannot run, or ended by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a model is served.

    Args:
        model: the checkpoint's folder, or a hub id.
        name: the name that policies ask for.
        adapters: LoRA adapters, each with the name that policies ask for.
        device: cpu or cuda.
        python: the interpreter that has vLLM.
        host: where it listens.
        port: where it listens; 0: a free one.
        length: tokens of a conversation and its reply.
        memory: gigabytes kept for conversations in work; on the CPU.
    """

    model: str
    name: str = "sanad"
    adapters: tuple[tuple[str, str], ...] = ()
    device: str = "cpu"
    python: str = sys.executable
    host: str = "127.0.0.1"
    port: int = 8000
    length: int = 2048
    memory: int = 2


def check_cpu() -> None:
    """Whether this processor can run vLLM.

    Raises:
        ServeError: it has no AVX-512.
    """
    try:
        known = "avx512f" in CPUINFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return  # no such file on other systems; vLLM will say what it misses
    if not known:
        raise ServeError(
            "this processor has no AVX-512, which vLLM needs on a CPU; serve on a GPU with "
            "'--device cuda', or use the 'transformers' responder"
        )


def check_python(python: str) -> None:
    """Whether an interpreter has vLLM.

    Raises:
        UsageError: there is no such interpreter.
        ServeError: it has no vLLM.
    """
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('vllm') is None)"
    try:
        done = subprocess.run([python, "-c", code], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise UsageError(f"'{python}' is no Python that can be run; check --python") from None
    if done.returncode != 0:
        raise ServeError(
            f"'{python}' has no vLLM; 'make vllm' makes an environment with it for the CPU, or "
            "'pip install vllm' one for a GPU; then name its Python with --python"
        )


class Server:
    """A server while it is entered.

    Args:
        settings: what to serve and where.
        tell: takes each line of its log.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self.settings = settings
        self._tell = tell
        self._last: list[str] = []
        self.port = settings.port or _free_port(settings.host)
        self.url = f"http://{settings.host}:{self.port}/v1"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            list(_command(self.settings, self.port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, **_environment(self.settings)},
            start_new_session=True,
        )
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask it and all that it started to end; what does not is killed."""
        for way, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, way)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                if not _alive(self._process.pid):
                    break
        self._reading.join(5)
        if self._process.stdout is not None and not self._reading.is_alive():
            self._process.stdout.close()

    def wait(self, seconds: float) -> None:
        """Wait until it answers.

        Raises:
            ServeError: it ended by itself, or took too long.
        """
        import httpx

        ends = time.monotonic() + seconds
        health = f"{self.url.removesuffix('/v1')}/health"
        while time.monotonic() < ends:
            if self._process.poll() is not None:
                self._reading.join(2)
                last = "\n".join(self._last)
                raise ServeError(f"the server ended with code {self._process.returncode}:\n{last}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(health, timeout=2).status_code == 200:
                    return
            time.sleep(0.5)
        raise ServeError(f"the server did not answer within {seconds:g} s; see its log")

    def kill(self) -> None:
        """End it at once, as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def run(self) -> int:
        """Wait until it ends, and give its exit code."""
        return self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._last = [*self._last[1 - LAST_LINES :], line.rstrip("\n")]
            self._tell(line.rstrip("\n"))


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _command(settings: Settings, port: int) -> Iterator[str]:
    yield from (settings.python, "-m", "vllm.entrypoints.openai.api_server")
    yield from ("--model", settings.model, "--served-model-name", settings.name)
    yield from ("--host", settings.host, "--port", str(port))
    yield from ("--max-model-len", str(settings.length), "--dtype", "bfloat16")
    if settings.adapters:
        yield "--enable-lora"
        yield "--lora-modules"
        yield from (f"{name}={path}" for name, path in settings.adapters)
        yield from ("--max-lora-rank", "64")


def _environment(settings: Settings) -> dict[str, str]:
    """No report goes out, and a hub is asked only where no folder was named."""
    own = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if Path(settings.model).is_dir():
        own["HF_HUB_OFFLINE"] = "1"
    if settings.device == "cpu":
        own["VLLM_CPU_KVCACHE_SPACE"] = str(settings.memory)
    return own


def snippet(server: Server) -> str:
    """The step of a policy that talks to the server."""
    settings = server.settings
    names = [settings.name, *(name for name, _ in settings.adapters)]
    return (
        "    - use: vllm\n"
        "      when: {risk: {at_most: none}}\n"
        f"      options: {{base_url: {server.url}, model: {names[-1]}}}\n"
    )
