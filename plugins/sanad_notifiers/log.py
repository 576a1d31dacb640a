"""A notifier that writes a warning to the log, without the message's text."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sanad_core.notices import Notice

__all__ = ["LogNotifier"]

log = logging.getLogger("sanad.notice")


class LogNotifier:
    """Writes to the logger `sanad.notice`."""

    def notify(self, notice: Notice) -> None:
        """Log which rule fired, where and why; never what was said."""
        log.warning(
            "notice for %s: rule %s fired (%s %s, %s) in conversation %s",
            notice.notifier,
            notice.rule,
            notice.level,
            notice.kind or "no kind",
            notice.subject or "no subject",
            notice.conversation,
        )
