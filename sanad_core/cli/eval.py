"""`sanad eval`: what plugins can evaluate."""

from __future__ import annotations

from sanad_core.cli.plugged import PluggedGroup

__all__ = ["command"]

command = PluggedGroup("eval", "Evaluate detectors on labelled messages, and responders.")
