"""The hooks: what a plugin may implement. Each registers factories; none is called per message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sanad_core.specs import DetectorSpec, GuardSpec, NotifierSpec, ResponderSpec, StoreSpec
    from sanad_core.types import Exchange

__all__ = ["hookimpl", "hookspec"]

hookspec = pluggy.HookspecMarker("sanad")
hookimpl = pluggy.HookimplMarker("sanad")


@hookspec
def sanad_detectors() -> Sequence[DetectorSpec]:  # type: ignore[empty-body]
    """Detectors: risk, conditions, sentiment, emotions, intents.

    :return: specs, each under the name of an entry point that leads to this plugin.
    """


@hookspec
def sanad_responders() -> Sequence[ResponderSpec]:  # type: ignore[empty-body]
    """Responders: what proposes replies.

    :return: specs.
    """


@hookspec
def sanad_guards() -> Sequence[GuardSpec]:  # type: ignore[empty-body]
    """Checks on a draft reply.

    :return: specs.
    """


@hookspec
def sanad_stores() -> Sequence[StoreSpec]:  # type: ignore[empty-body]
    """Conversation stores; the name is the scheme of the store's URL.

    :return: specs.
    """


@hookspec
def sanad_notifiers() -> Sequence[NotifierSpec]:  # type: ignore[empty-body]
    """Ways to tell a person on call.

    :return: specs.
    """


@hookspec
def sanad_exchange_done(exchange: Exchange) -> None:
    """Observe a finished turn, after the reply left; what it raises is logged, never raised.

    :param exchange: the whole record of the turn, message text included.
    """
