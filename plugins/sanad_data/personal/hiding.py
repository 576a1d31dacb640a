"""A conversation with all that may name somebody in it under pseudonyms, its metadata as well."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter

    from sanad_data.personal.scrubber import Scrubber
    from sanad_data.talks import Talk

__all__ = ["hidden", "regrouped"]

# Sources that import makes, which name nobody: a form with a code of a file, a data set, a forum.
_OURS = re.compile(
    r"[a-z_]+-[0-9a-f]{8}|reddit(?: r/\w+)?|CounselChat|ESConv|EmpatheticDialogues|AnnoMI|Dreaddit"
)


def hidden(scrubber: Scrubber, talk: Talk) -> tuple[Talk, Counter[str]]:
    """A conversation with its turns, topic, source and values of labels under pseudonyms.

    A person has the same pseudonym in all of them.

    Args:
        scrubber: the recognisers.
        talk: the conversation.

    Returns:
        It, and how many pseudonyms of each type were put in.
    """
    source = "" if _OURS.fullmatch(talk.source) else talk.source
    said = [turn.text for turn in talk.turns]
    texts, counts = scrubber.conversation([*said, talk.topic, source, *talk.labels.values()])
    topic, place, *values = texts[len(said) :]
    pairs = zip(talk.turns, texts, strict=False)
    changed = {
        "turns": [turn.model_copy(update={"text": text}) for turn, text in pairs],
        "topic": topic,
        "source": place or talk.source,
        "labels": dict(zip(talk.labels, values, strict=True)),
    }
    return talk.model_copy(update=changed), counts


def regrouped(talk: Talk, key: bytes) -> Talk:
    """A conversation whose group has another name, made of it with a key.

    With one key a group is one group still; without the key nobody can try out whose it is.

    Args:
        talk: the conversation.
        key: of the run, of at most 64 bytes; it is kept nowhere.
    """
    if not talk.group:
        return talk
    made = hashlib.blake2b(talk.group.encode(), key=key, digest_size=8)
    return talk.model_copy(update={"group": made.hexdigest()})
