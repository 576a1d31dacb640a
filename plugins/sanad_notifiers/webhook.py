"""A notifier that posts JSON, signed so that the receiver can tell who sent it and when."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanad_core.notices import Notice

__all__ = ["WebhookNotifier", "signature"]

TIMEOUT_S = 8.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the `Sanad-Signature` header.

    Args:
        secret: the shared key.
        timestamp: Unix seconds, as sent in the header; refuse old ones against replay.
        body: the request's body, byte for byte.

    Returns:
        `t=TIMESTAMP,v1=HEX`, where HEX is HMAC-SHA256 over `TIMESTAMP.BODY`.
    """
    signed = timestamp.encode() + b"." + body
    return f"t={timestamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class WebhookNotifier:
    """Posts notices to one address.

    Args:
        url: where.
        secret: key of the signature.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self._client: Any = None

    async def notify(self, notice: Notice) -> None:
        """Post a notice; anything but a 2xx answer raises, and the engine tries again."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        body = _body(notice)
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": notice.id,
            "Sanad-Signature": signature(self._secret, str(int(time.time())), body),
        }
        answer = await self._client.post(self._url, content=body, headers=headers)
        answer.raise_for_status()

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


def _body(notice: Notice) -> bytes:
    data = {
        "id": notice.id,
        "conversation": notice.conversation,
        "rule": notice.rule,
        "risk": {"level": notice.level, "kind": notice.kind, "subject": notice.subject},
        "at": notice.at.isoformat(),
    }
    if notice.text is not None:
        data["text"] = notice.text
    return json.dumps(data, ensure_ascii=False).encode()
