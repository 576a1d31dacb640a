"""Names of people: by the lists, by the words around them, and by the entity recogniser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sanad_data.personal.elsewhere import is_elsewhere
from sanad_data.personal.naming import (
    HUMAN,
    Strength,
    is_called,
    is_edge,
    is_person,
    is_proper,
    is_told,
    may_be,
)
from sanad_data.personal.passage import LONGEST, MINE, Passage
from sanad_data.personal.spans import Span
from sanad_data.personal.wording import WordsFile, either, listed, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_data.personal.vocabulary import Token, Vocabulary

__all__ = ["Names"]

_QUOTE = r"[\"'“‘(]?"
_LISTS = re.compile(r"\s?(?:,|&|/|\band\b|\bn\b)\s?(?:and\s)?", re.IGNORECASE)
_SIGNED = re.compile(r"(?:\n\s*|[-–—~]\s?|\b(?:love|thanks|regards|x+)[,\s]\s?)$", re.IGNORECASE)
_ENDS = re.compile(r"\s*(?:[.!x ,♥❤]{0,6})\s*(?:$|\n)", re.IGNORECASE)
_HERE = re.compile(r"\s(?:here|again|speaking)\b", re.IGNORECASE)
# No dictionary tells Arabic names from words; "and" is written with the word after it.
_ARABIC = re.compile(r"\s(?!و)[\u0621-\u06ff]{3,}")
_ASKED = re.compile(r"name(?!\?)|dr|mrs?|ms|miss|prof", re.IGNORECASE)  # cues that a name follows
# Between the words of an entity that is one name; the model runs over lines and quotation marks.
_BETWEEN = re.compile(r"[ \u00a0]{1,2}|[ .'’-]{1,2}|[ ]?[&(][ ]?")
_LETTER = "[^\\W\\d_]"
# A given name, a letter and a family name: `Outi K. Virtanen`.
_INITIAL = re.compile(
    rf"(?<![\w.'’-])(?P<it>(?=[^\Wa-z]){_LETTER}[\w'’-]{{1,30}}[ ][A-ZÀ-Þ]\.?[ ]{{1,2}}"
    rf"(?=[^\Wa-z]){_LETTER}[\w'’-]{{2,30}})"
)
_HEAD = re.compile(
    r"[>|*•?\s]{0,12}(?P<it>(?:[^\W\d_][\w'’.-]{1,30}[ ]{1,2}){1,3}[^\W\d_][\w'’-]{1,30})[ ]?\n"
)
_OTHER = ("ORG", "GPE", "PRODUCT", "WORK_OF_ART", "NORP", "LOC", "FAC")


class Names:
    """Finds names of people.

    Args:
        vocabulary: the lists.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        words = read("words.yml", WordsFile)
        self._lists = vocabulary
        self._sure_titles = frozenset(listed(words.sure_titles))
        relative = rf"(?:(?:{either(listed(words.kinds))})\s){{0,2}}(?:{either(listed(words.kin))})"
        said = r"(?:['’]s\sname\sis|\sis\scalled|\scalled|\snamed|,|:)?"
        self._cues: tuple[tuple[Strength, re.Pattern[str]], ...] = (
            ("sure", _cue(rf"(?:{either(listed(words.called))})\s?[:,-]?\s?{_QUOTE}")),
            ("beside", _cue(rf"{MINE}\s{relative}{said}\s{_QUOTE}")),
            ("weak", _cue(rf"{MINE}\s{relative}\sis\s")),
            ("beside", _cue(rf"(?:{either(listed(words.titles))})\.?\s")),
            ("weak", _cue(rf"(?:{either(listed(words.self))})[,:]?\s{_QUOTE}")),
        )
        self._after = re.compile(
            rf"(?:,\s|\s\(|\sis\s|\swas\s|\swho\sis\s|\s-\s)(?:{MINE}|both\s{MINE})\s{relative}\b",
            re.IGNORECASE,
        )

    def find(self, text: str, words: Sequence[Token], doc: Any) -> Iterator[Span]:
        """The names in a text.

        Args:
            text: it.
            words: of it.
            doc: spaCy's document of it.
        """
        passage = Passage(text, words, doc, self._lists)
        yield from _listed(passage)
        yield from self._cued(passage)
        yield from self._owned(passage)
        yield from _signed(passage)
        yield from _initialled(passage)
        yield from _headed(passage)
        yield from _entities(passage, doc)

    def named(self, text: str, words: Sequence[Token], doc: Any) -> Iterator[Span]:
        """The names that spaCy finds alone; arguments are those of `find`."""
        for span in _entities(Passage(text, words, doc, self._lists), doc):
            yield span._replace(sure=1)

    def _cued(self, passage: Passage) -> Iterator[Span]:
        """Names after a cue, and those in a list with them."""
        for strength, cue in self._cues:
            for found in cue.finditer(passage.text):
                place = passage.at.get(found.end())
                if place is None:
                    continue
                titled = found[0].lower().strip(" .") in self._sure_titles
                told = strength == "weak" and is_told(passage, place, found[0])
                told = told or (_ASKED.search(found[0]) is not None and is_called(passage, place))
                if strength == "weak" and is_elsewhere(passage, [passage.words[place]]):
                    continue
                if told or may_be(passage, place, "sure" if titled else strength):
                    yield from _with_others(passage, place, 2 if strength == "weak" else 3)

    def _owned(self, passage: Passage) -> Iterator[Span]:
        """Names before a cue: `Jolene, my sister`; a word too only in `hope is my sister`."""
        ends = {token.end: place for place, token in enumerate(passage.words)}
        for found in self._after.finditer(passage.text):
            place = ends.get(found.start())
            if place is None:
                continue
            token = passage.words[place]
            small = token.word in self._lists.words and not token.text[0].isupper()
            if not (small and found[0][0] != " ") and may_be(passage, place, "beside"):
                yield passage.name(place, 2)


def _cue(find: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w@])(?:{find})", re.IGNORECASE)


def _listed(passage: Passage) -> Iterator[Span]:
    """Given names that stand on the list, and words that look like names."""
    lists = passage.lists
    for place, token in enumerate(passage.words):
        shaped = lists.is_shaped(token.word) and (token.capital or len(token.word) > 6)
        surname = token.capital and token.word in lists.family
        human = token.word in lists.words and HUMAN.match(passage.text, token.end) is not None
        name = token.word in lists.given or shaped or surname or human
        if name and passage.is_free(token):
            if token.word in lists.given or not is_elsewhere(passage, [token]):
                yield passage.name(place, 2)
        elif is_proper(passage, place) and not is_elsewhere(passage, _whole(passage, place)):
            yield passage.name(place, 1)


def _whole(passage: Passage, place: int) -> list[Token]:
    end = passage.name(place, 1).end
    return [token for token in passage.words[place : place + LONGEST] if token.start < end]


def _initialled(passage: Passage) -> Iterator[Span]:
    """Names with a letter in the middle, which hardly anything else has."""
    lists = passage.lists
    for found in _INITIAL.finditer(passage.text):
        first, last = passage.at.get(found.start()), passage.ending.get(found.end())
        if first is None or last is None:
            continue
        words = (passage.words[first], passage.words[last])
        known = any(lists.is_plain(w.word) or lists.is_thing(w.word) for w in words)
        given = words[0].word in lists.given or lists.is_strange(words[0].word)
        family = words[1].word in lists.family or lists.is_strange(words[1].word)
        if (given or family) and not known:
            yield Span(words[0].start, words[1].end, "PERSON", 2)


def _headed(passage: Passage) -> Iterator[Span]:
    """A name that is the first line of a letter or of a card."""
    found = _HEAD.match(passage.text)
    place = None if found is None else passage.at.get(found.start("it"))
    if found is None or place is None:
        return
    words = [t for t in passage.words[place : place + LONGEST] if t.start < found.end("it")]
    lists = passage.lists
    known = any(lists.is_plain(t.word) or lists.is_thing(t.word) for t in words)
    whole = " ".join(token.word for token in words)
    known = known or whole in lists.places or whole in lists.famous
    capitals = all(token.text[0].isupper() for token in words)
    ends = words[-1].word in lists.family or lists.is_strange(words[-1].word)
    if capitals and ends and not known and not is_elsewhere(passage, words):
        yield Span(words[0].start, words[-1].end, "PERSON", 2)


def _with_others(passage: Passage, place: int, sure: int) -> Iterator[Span]:
    """A name, and the names that a list goes on with."""
    span = passage.name(place, sure)
    yield span
    if second := _ARABIC.match(passage.text, span.end):
        yield span._replace(end=second.end())
    joint = _LISTS.match(passage.text, span.end)
    while joint is not None and (following := passage.at.get(joint.end())) is not None:
        token = passage.words[following]
        given = token.word in passage.lists.given
        listed = token.capital or (sure == 3 and not passage.lists.is_typo(token.word))
        if not given and not (listed and may_be(passage, following, "beside")):
            return
        span = passage.name(following, 2)
        yield span
        joint = _LISTS.match(passage.text, span.end)


def _signed(passage: Passage) -> Iterator[Span]:
    """A name at the end of a message, or one that says that it is there: `Oluwaseun here`."""
    for place, token in enumerate(passage.words):
        if not token.text[:1].isupper() and token.word not in passage.lists.given:
            continue
        before, span = passage.before(token, 12), passage.name(place, 2)
        begins = not before.strip() and _HERE.match(passage.text, span.end) is not None
        ends = _SIGNED.search(before) is not None and _ENDS.match(passage.text, span.end)
        if ends and is_elsewhere(passage, _whole(passage, place)):
            continue
        if (begins or ends) and may_be(passage, place, "beside"):
            yield span


def _entities(passage: Passage, doc: Any) -> Iterator[Span]:
    """The persons that spaCy names, as far as their words can be a person's name."""
    for entity in doc.ents:
        inside = [
            place
            for place, token in enumerate(passage.words)
            if entity.start_char <= token.start < entity.end_char
        ]
        runs = list(_runs(passage, inside))
        if entity.label_ == "PERSON" or (entity.label_ == "ORG" and len(inside) < 3):
            for run in runs:
                yield from _person(passage, run)
        elif entity.label_ in _OTHER and inside:
            first = passage.words[inside[0]]
            if first.word in passage.lists.given and passage.is_free(first):
                yield passage.name(inside[0], 2)


def _runs(passage: Passage, inside: list[int]) -> Iterator[list[int]]:
    """The words of an entity, apart where a line or a sentence ends between two."""
    begun = 0
    for count in range(1, len(inside) + 1):
        if count < len(inside):
            one, other = passage.words[inside[count - 1]], passage.words[inside[count]]
            if _BETWEEN.fullmatch(passage.text, one.end, other.start) and not one.owns:
                continue
        yield inside[begun:count]
        begun = count


def _person(passage: Passage, inside: list[int]) -> Iterator[Span]:
    while inside and is_edge(passage, passage.words[inside[0]]):
        inside = inside[1:]
    while inside and is_edge(passage, passage.words[inside[-1]]):
        inside = inside[:-1]
    words = [passage.words[place] for place in inside]
    if words and is_person(passage, words) and not is_elsewhere(passage, words):
        span = passage.name(inside[0], 2)
        yield span._replace(end=max(span.end, words[-1].end))
