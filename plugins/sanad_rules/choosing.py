"""Chooses wordings: nothing said lately comes again while something else is left."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_core.replies import Script, next_script

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sanad_rules.content import Texts

__all__ = ["Choosing", "aspect_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosing:
    """The texts of a language, and what of them was said.

    Args:
        texts: the texts.
        used: ids of the texts said in this conversation, oldest first.
        asked: aspects that were asked about; they are not asked about again.
        seed: the conversation's id: conversations begin at different wordings.
    """

    texts: Texts
    used: Sequence[str]
    asked: Sequence[str]
    seed: str

    def fresh(self, *keys: str) -> Script | None:
        """A wording not said yet, of the first of these texts that has one."""
        for key in keys:
            for script in self._turned(key):
                if script.id not in self.used and not self._was_asked(script):
                    return script
        return None

    def next(self, *keys: str) -> Script:
        """A wording not said yet; if there is none, the one said longest ago."""
        script = self.fresh(*keys)
        if script is not None:
            return script
        return next_script([s for key in keys for s in self._turned(key)], self.used)

    def of(self, scripts: Sequence[Script]) -> Script:
        """One of these wordings."""
        return next_script(scripts, self.used)

    def unsaid(self, scripts: Iterable[Script]) -> bool:
        """Whether one of these wordings was not said yet."""
        return any(script.id not in self.used for script in scripts)

    def _was_asked(self, script: Script) -> bool:
        if not script.id.startswith("ask/"):
            return False
        return not {aspect_of(script), *script.asks}.isdisjoint(self.asked)

    def _turned(self, key: str) -> Sequence[Script]:
        scripts = self.texts.scripts.get(key, ())
        first = zlib.crc32(f"{self.seed}/{key}".encode()) % max(len(scripts), 1)
        return (*scripts[first:], *scripts[:first])


def aspect_of(script: Script) -> str:
    """What a question asks about: the id of its wording, the same under every label."""
    return script.id.partition("#")[2]
