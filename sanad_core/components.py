"""Makes the components of a plan and warms them up; one that cannot be made fails at every turn."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sanad_core.errors import ConfigError, MissingExtra
from sanad_core.steps import Runner

if TYPE_CHECKING:
    from sanad_core.plan import Part
    from sanad_core.specs import Setting
    from sanad_core.workers import Workers

__all__ = ["make"]

log = logging.getLogger("sanad")

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
    component, error, missing = await _made(part, workers)
    inline = part.spec is not None and part.spec.inline
    runner = Runner(part.name, component, workers, missing=missing, inline=inline)
    outcome = await runner.warm(setting, WARM_S)
    if runner.component is None:
        log.error("'%s' cannot be used: %s", part.name, runner.missing)
    return runner, error or outcome.error


async def _made(part: Part, workers: Workers) -> tuple[object | None, Exception | None, str]:
    spec = part.spec
    if spec is None or part.missing:
        return None, None, part.missing
    call = workers.run(lambda: spec.make(part.options))
    done, _ = await asyncio.wait({call.future}, timeout=WARM_S)
    if not done:
        return None, TimeoutError(), "making it took too long"
    error = call.future.exception()
    if error is not None:
        about_setup = isinstance(error, MissingExtra | ConfigError)
        said = str(error) if about_setup else f"making it raised {type(error).__name__}"
        return None, error if isinstance(error, Exception) else None, said
    component: object = call.future.result()
    if not callable(getattr(component, spec.method, None)):
        return None, TypeError(), f"it has no method '{spec.method}'"
    return component, None, ""
