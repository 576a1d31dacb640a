"""`sanad data`: what plugins do with conversations for training."""

from __future__ import annotations

from sanad_core.cli.plugged import PluggedGroup

__all__ = ["command"]

command = PluggedGroup("data", "Prepare conversations for training: import, clean, check.")
