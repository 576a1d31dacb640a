"""Makes the components of a plan and warms them up; one that cannot be made fails at every turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sanad_core.errors import ConfigError, MissingExtra
from sanad_core.steps import AT_ONCE, Runner, methods_of

if TYPE_CHECKING:
    from sanad_core.plan import Part
    from sanad_core.specs import Setting
    from sanad_core.workers import Workers

__all__ = ["make"]

log = logging.getLogger("sanad")

Methods = dict[str, Callable[..., Any]]
RESPONDERS_AT_ONCE = 64  # they mostly wait for a service
WARM_S = 120.0  # seconds that making and warming one component may take


async def make(part: Part, workers: Workers, setting: Setting) -> tuple[Runner, Exception | None]:
    """Make one component and warm it up.

    Args:
        part: what to make.
        workers: threads to make it on, since it may hang.
        setting: what it is told.

    Returns:
        Its runner, and what went wrong, if something did: the runner then fails every call, and
        the policy says what happens.
    """
    methods, error, missing = await _made(part, workers)
    runner = Runner(
        part.name,
        methods,
        workers,
        at_once=RESPONDERS_AT_ONCE if part.kind == "responder" else AT_ONCE,
        missing=missing,
        inline=part.spec is not None and part.spec.inline,
    )
    outcome = await runner.warm(setting, WARM_S)
    if not runner.methods:
        log.error("'%s' cannot be used: %s", part.name, runner.missing)
    return runner, error or outcome.error


async def _made(part: Part, workers: Workers) -> tuple[Methods, Exception | None, str]:
    spec = part.spec
    if spec is None or part.missing:
        return {}, None, part.missing
    if spec.options is not None and part.options is None:
        return {}, None, "its options are wrong"  # a problem of the file, reported there
    names = (spec.method, *spec.also, "warm", "close")
    call = workers.run(lambda: methods_of(spec.make(part.options), names))
    done, _ = await asyncio.wait({call.future}, timeout=WARM_S)
    if not done:
        return {}, TimeoutError(), "making it took too long"
    error = call.future.exception()
    if error is not None:
        about_setup = isinstance(error, MissingExtra | ConfigError)
        said = str(error) if about_setup else f"making it raised {type(error).__name__}"
        return {}, error if isinstance(error, Exception) else None, said
    methods: Methods = call.future.result()
    if spec.method not in methods:
        return {}, TypeError(), f"it has no method '{spec.method}'"
    return methods, None, ""
