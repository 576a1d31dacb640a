"""`sanad train`: what plugins can train."""

from __future__ import annotations

from sanad_core.cli.plugged import PluggedGroup

__all__ = ["command"]

command = PluggedGroup("train", "Train a model: screening, intents, the guard, responders.")
