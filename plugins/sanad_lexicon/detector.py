"""The lexicon as a detector: every language of the policy reads every message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.types import Signal
from sanad_lexicon.content import DATA, load_language
from sanad_lexicon.judge import judge
from sanad_lexicon.normalise import plain_words

if TYPE_CHECKING:
    from sanad_core.specs import Context, Setting
    from sanad_core.types import Turn
    from sanad_lexicon.content import Language

__all__ = ["Lexicon"]


class Lexicon:
    """Finds risk and conditions by terms.

    Args:
        folders: further folders of lexicon files, relative to the policy's.
    """

    def __init__(self, folders: tuple[str, ...] = ()) -> None:
        self._folders = folders
        self._languages: tuple[Language, ...] = ()

    def warm(self, setting: Setting) -> None:
        """Read the files of the policy's languages.

        Raises:
            ContentError: a file is wrong, or a language has none.
        """
        base = setting.folder or Path()
        folders = [DATA, *(base / folder for folder in self._folders)]
        self._languages = tuple(
            load_language(locale.split("-")[0], folders) for locale in setting.locales
        )

    def detect(self, turn: Turn, context: Context) -> list[Signal]:
        """Signals of every language; a risk of level none where none of them found a risk."""
        signals: list[Signal] = []
        for language in self._languages:
            words = plain_words(turn.text, language.spelling)
            signals += judge(language, words, language.graph.find(words.words))
        if not any(signal.kind == "risk" for signal in signals):
            signals.append(Signal.no_risk())
        return signals
