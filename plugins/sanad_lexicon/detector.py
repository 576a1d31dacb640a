"""The lexicon as a detector: every language of the policy reads every message."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sanad_core.types import Signal
from sanad_lexicon.content import DATA, load_language
from sanad_lexicon.judge import judge
from sanad_lexicon.normalise import plain_words, tokens_of

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
        """Signals of every language; `none` if there is no risk, `abstain` if it is foreign."""
        signals: list[Signal] = []
        complete = True
        tokens = tokens_of(turn.text)
        for language in self._languages:
            words = plain_words(tokens, language.spelling)
            matches = language.graph.find(words.words)
            complete = complete and words.complete and matches.complete
            signals += judge(language, words, matches.found)
        if not complete:
            return [*signals, Signal(kind="abstain", label="too_dense")]
        if any(signal.kind == "risk" for signal in signals):
            return signals
        if _foreign(turn.text):
            return [*signals, Signal(kind="abstain", label="script")]
        return [*signals, Signal.no_risk()]


def _foreign(text: str) -> bool:
    """Whether most letters are of a script that no language of the lexicon is written in.

    A language in Latin letters that the lexicon does not know cannot be told apart this way.
    """
    letters = [char for char in text[:SAMPLE] if char.isalpha()]
    known = len(_KNOWN.findall("".join(letters)))
    return len(letters) > 2 * known


SAMPLE = 2000  # characters looked at
# Latin and Arabic letters, and what people write in their place (see normalise.py).
_KNOWN = re.compile("[A-Za-z\u00aa-\u024f\u0600-\u06ff\u0750-\u077f\ufb50-\ufeff\uff21-\uff5a]")
