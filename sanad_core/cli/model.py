"""`sanad model`: what plugins can do with language models."""

from __future__ import annotations

from sanad_core.cli.plugged import PluggedGroup

__all__ = ["command"]

command = PluggedGroup("model", "Fetch, serve and try language models.")
