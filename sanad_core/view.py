"""Records as plain data, in the shapes that scripts outside use (docs/reference.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanad_core.risk import Risk
    from sanad_core.types import Assessment, Exchange, Failure, Signal

__all__ = ["assessment_view", "exchange_view", "failure_view", "screen_view"]


def exchange_view(exchange: Exchange) -> dict[str, Any]:
    """One object per message, as `sanad run --json` prints it."""
    decision, reply, timings = exchange.decision, exchange.reply, exchange.timings
    return {
        "conversation": exchange.conversation,
        "message": exchange.turn.message_id,
        "reply": {
            "text": reply.text,
            "responder": reply.responder,
            "helplines": list(reply.helplines),
        },
        "decision": {
            "rule": decision.rule,
            "at": decision.at,
            "held": decision.held,
            "cause": decision.cause.value,
            "also": list(decision.also),
        },
        "assessment": assessment_view(exchange.assessment),
        "failures": [failure_view(failure) for failure in exchange.failures],
        "timings_ms": {
            name: round(getattr(timings, name), 3)
            for name in ("detect", "decide", "respond", "guard", "store", "total")
        },
    }


def assessment_view(assessment: Assessment) -> dict[str, Any]:
    """What was found: the summary, every risk, the signals and the failures."""
    return {
        "risk": _risk(assessment.risk),
        "risks": [_risk(risk) for risk in assessment.risks],
        "signals": [_signal(signal) for signal in assessment.signals],
        "failures": [failure_view(failure) for failure in assessment.failures],
    }


def screen_view(row: str | int, text: str, assessment: Assessment) -> dict[str, Any]:
    """One row of `sanad screen`."""
    return {
        "id": row,
        "text": text,
        "risk": _risk(assessment.risk),
        "signals": [_signal(signal) for signal in assessment.signals],
        "failures": [failure_view(failure) for failure in assessment.failures],
    }


def failure_view(failure: Failure) -> dict[str, Any]:
    """A failed step."""
    return {
        "step": failure.step,
        "cause": failure.cause.value,
        "detail": failure.detail,
        "required": failure.required,
    }


def _risk(risk: Risk) -> dict[str, Any]:
    return {
        "level": risk.level.value,
        "kind": risk.kind.value if risk.kind else None,
        "subject": risk.subject.value if risk.subject else None,
        "score": round(risk.score, 4),
    }


def _signal(signal: Signal) -> dict[str, Any]:
    view: dict[str, Any] = {
        "kind": signal.kind,
        "label": signal.label,
        "score": round(signal.score, 4),
        "source": signal.source,
    }
    if signal.level is not None:
        view["level"] = signal.level.value
        view["subject"] = signal.subject.value if signal.subject else None
    return view
