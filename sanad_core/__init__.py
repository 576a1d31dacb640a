"""Sanad: a framework for mental-health support bots."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sanad_core.engine import Engine
    from sanad_core.errors import SanadError
    from sanad_core.hookspecs import hookimpl
    from sanad_core.risk import Level, Risk, RiskKind, Subject
    from sanad_core.specs import (
        Context,
        DetectorSpec,
        GuardSpec,
        NotifierSpec,
        ResponderSpec,
        StoreSpec,
    )
    from sanad_core.types import (
        Assessment,
        Conversation,
        Decision,
        Draft,
        Evidence,
        Exchange,
        Reply,
        Signal,
        Turn,
        Verdict,
    )

__version__ = "0.1.0"

# Loaded at first use: `sanad --help` and a plugin's specs need almost none of it.
_HOMES = {
    "Engine": "engine",
    "SanadError": "errors",
    "hookimpl": "hookspecs",
    "Level": "risk",
    "Risk": "risk",
    "RiskKind": "risk",
    "Subject": "risk",
    "Context": "specs",
    "DetectorSpec": "specs",
    "GuardSpec": "specs",
    "NotifierSpec": "specs",
    "ResponderSpec": "specs",
    "StoreSpec": "specs",
    "Assessment": "types",
    "Conversation": "types",
    "Decision": "types",
    "Draft": "types",
    "Evidence": "types",
    "Exchange": "types",
    "Reply": "types",
    "Signal": "types",
    "Turn": "types",
    "Verdict": "types",
}

__all__ = [
    "Assessment",
    "Context",
    "Conversation",
    "Decision",
    "DetectorSpec",
    "Draft",
    "Engine",
    "Evidence",
    "Exchange",
    "GuardSpec",
    "Level",
    "NotifierSpec",
    "Reply",
    "ResponderSpec",
    "Risk",
    "RiskKind",
    "SanadError",
    "Signal",
    "StoreSpec",
    "Subject",
    "Turn",
    "Verdict",
    "__version__",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sanad_core' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"sanad_core.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
