"""What comes back over the wire: pieces of a reply, and what went wrong, as codes."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

from sanad_core.errors import Declined, ServiceError
from sanad_core.risk import RiskKind

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Reading", "declined", "failure"]

# How servers say that their policy refuses a message.
_POLICY = ("content_filter", "content_policy_violation", "responsible_ai", "moderation", "safety")
_KINDS = {
    "self_harm": RiskKind.SUICIDE,
    "self-harm": RiskKind.SUICIDE,
    "violence": RiskKind.HARM_TO_OTHERS,
}
MOST_IN_CAUSE = 10  # how deep an error's cause is looked for


class Reading:
    """One reply as it comes in.

    A reply cut off at its token limit loses its unfinished last sentence, if it has another.
    """

    def __init__(self) -> None:
        self._ended: str | None = None
        self._began = False

    @property
    def ended(self) -> str | None:
        """Why the model stopped; None while it has not."""
        return self._ended

    def text(self, chunk: Any) -> str:
        """The text of a chunk.

        Raises:
            Declined: the model or a filter would not answer.
            ServiceError: it is no answer at all.
        """
        found = ""
        for choice in getattr(chunk, "choices", None) or ():
            delta = getattr(choice, "delta", None)
            if getattr(delta, "refusal", None):
                raise Declined("refusal")
            content = getattr(delta, "content", None)
            if content is not None and not isinstance(content, str):
                raise ServiceError("malformed_reply")
            found += content or ""
            reason = getattr(choice, "finish_reason", None)
            if reason == "content_filter":
                raise Declined("content_filter", _kind(_extra(choice, "content_filter_results")))
            self._ended = reason or self._ended
        self._began = self._began or bool(found)
        return found

    def close(self) -> None:
        """Check that the reply came to its end.

        Raises:
            ServiceError: it is empty, or broke off.
        """
        if self._ended is None:
            raise ServiceError("truncated" if self._began else "empty_choices")
        if self._ended not in ("stop", "length"):
            raise ServiceError("not_a_text")
        if not self._began:
            raise ServiceError("empty_reply")


def _extra(value: Any, name: str) -> Any:
    extra = getattr(value, "model_extra", None)
    return extra.get(name) if isinstance(extra, dict) else None


def _kind(results: Any) -> RiskKind | None:
    """The kind of risk that a filter named, of `{"self_harm": {"filtered": true}}` and its like."""
    if not isinstance(results, dict):
        return None
    for name, kind in _KINDS.items():
        result = results.get(name)
        if isinstance(result, dict) and result.get("filtered"):
            return kind
    return None


def declined(error: Any) -> Declined | None:
    """What a 400 is that tells of the provider's policy; None: it tells of something else."""
    if getattr(error, "status_code", None) not in (400, 403, 422):
        return None
    body = getattr(error, "body", None)
    body = body if isinstance(body, dict) else {}
    inner = body.get("innererror") or body.get("inner_error") or {}
    said = [
        body.get("code"),
        body.get("type"),
        inner.get("code") if isinstance(inner, dict) else "",
    ]
    if not any(word in str(part).lower() for part in said if part for word in _POLICY):
        return None
    results = inner.get("content_filter_result") if isinstance(inner, dict) else None
    return Declined("policy_400", _kind(results))


def failure(error: BaseException, *, began: bool) -> ServiceError:
    """An error of the client as a code.

    Args:
        error: what the client raised.
        began: whether text had come before.
    """
    import openai

    if isinstance(error, openai.APIStatusError):
        return ServiceError(f"http_{error.status_code}")
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return ServiceError("idle_stream" if began else "no_first_token", late=True)
    if isinstance(error, json.JSONDecodeError | openai.APIResponseValidationError | UnicodeError):
        return ServiceError("malformed_json")
    names = [type(cause).__name__ for cause in _causes(error)]
    if any(isinstance(cause, socket.gaierror) for cause in _causes(error)):
        return ServiceError("name_not_found")
    if any(isinstance(cause, ConnectionRefusedError) for cause in _causes(error)):
        return ServiceError("connection_refused")
    if any("Timeout" in name for name in names):
        late = "idle_stream" if began else "no_first_token"
        return ServiceError("no_connection" if "ConnectTimeout" in names else late, late=True)
    if began or "RemoteProtocolError" in names or "ReadError" in names:
        return ServiceError("truncated" if began else "connection_lost")
    return ServiceError("connection_failed")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and what it came from."""
    found: BaseException | None = error
    for _ in range(MOST_IN_CAUSE):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__
