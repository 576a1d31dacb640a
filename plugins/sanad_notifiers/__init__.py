"""Notifiers: a line in the log, and a signed webhook."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sanad_core import hookimpl
from sanad_core.schema import Options
from sanad_core.specs import NotifierSpec

__all__ = ["LogOptions", "WebhookOptions", "sanad_notifiers"]


class LogOptions(Options):
    """The log notifier takes no options."""


class WebhookOptions(Options):
    """Options of the webhook notifier."""

    url: str = Field(pattern=r"^(https?://|\$\{)", description="where notices are posted")
    secret: str = Field(
        min_length=1,
        description="key of the signature; only as ${NAME}",
        json_schema_extra={"secret": True},
    )


def _log(_options: Any) -> object:
    from sanad_notifiers.log import LogNotifier

    return LogNotifier()


def _webhook(options: Any) -> object:
    from sanad_notifiers.webhook import WebhookNotifier

    return WebhookNotifier(options.url, options.secret)


@hookimpl
def sanad_notifiers() -> tuple[NotifierSpec, ...]:
    """The two notifiers."""
    return (
        NotifierSpec(name="log", make=_log, options=LogOptions, summary="a warning in the log"),
        NotifierSpec(
            name="webhook",
            make=_webhook,
            options=WebhookOptions,
            summary="an HTTP POST, signed with HMAC-SHA256",
        ),
    )
