"""What a pattern of patterns.yml finds."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanad_data.personal.firms import firm_start
from sanad_data.personal.spans import Span
from sanad_data.personal.streets import Streets
from sanad_data.personal.vocabulary import tokens
from sanad_data.personal.wording import (
    PatternsFile,
    Rule,
    WordsFile,
    expanded,
    folded,
    listed,
    read,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_data.personal.vocabulary import Vocabulary

__all__ = ["Patterns", "parts"]


def parts() -> dict[str, str | list[str]]:
    """The parts of patterns, with the lists of words.yml among them."""
    words = read("words.yml", WordsFile)
    lists = {name: listed(getattr(words, name)) for name in ("kin", "employers", "countries")}
    return {**lists, **read("patterns.yml", PatternsFile).parts}


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    find: re.Pattern[str]
    group: int


class Patterns:
    """The rules of patterns.yml.

    Args:
        vocabulary: says which words are English.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        pieces = parts()
        rules = read("patterns.yml", PatternsFile).rules
        self._rules = [_compiled(rule, pieces) for rule in rules]
        self._vocabulary = vocabulary
        self._heads = frozenset(map(str.lower, [*pieces["orghead"], *pieces["lowhead"]]))
        self._streets = Streets(pieces, vocabulary)

    def find(self, text: str) -> Iterator[Span]:
        """Everything that a rule finds, overlaps and all."""
        for compiled in self._rules:
            for found in compiled.find.finditer(text):
                span = self._span(compiled, found, text)
                if span is not None:
                    yield span

    def _span(self, compiled: _Compiled, found: re.Match[str], text: str) -> Span | None:
        rule = compiled.rule
        start, end = found.span(compiled.group)
        if not self._holds(rule, text[start:end]):
            return None
        if rule.type == "ORG":
            start = firm_start(text, start, end, self._vocabulary)
            if text[start:end].lower() in self._heads:
                return None
        if rule.firm and not self._is_firm(text[start:end]):
            return None
        if rule.grow:
            start, end = self._streets.whole(text, start, end)
        return Span(start, end, rule.type, rule.sure)

    def _holds(self, rule: Rule, what: str) -> bool:
        """Whether what a rule finds is as the rule says that it must be."""
        if not what or (rule.upper and what != what.upper()):
            return False
        if rule.check is not None and not _CHECKS[rule.check](what):
            return False
        if rule.strange and not self._is_strange(what):
            return False
        return not (rule.coined and self._vocabulary.is_word(what.lower().split()[0]))

    def _is_firm(self, name: str) -> bool:
        """Whether a name where a firm's is said to be is no place, no word and no first name."""
        lists = self._vocabulary
        words = [token.word for token in tokens(name)]
        whole = " ".join(words)
        if not words or whole in lists.places or whole in lists.famous or lists.is_plain(words[0]):
            return False
        if whole in lists.employers or len(words) > 1:
            return not any(map(lists.is_thing, words))
        return not (words[0] in lists.given or lists.is_thing(whole) or lists.is_word(whole))

    def _is_strange(self, street: str) -> bool:
        """Whether the word before a number is neither English nor anything that is known."""
        word, lists = folded(street.split()[-2].strip(",")), self._vocabulary
        coded = len(street.split()[-1]) == 5 and word in lists.places
        return coded or (lists.is_strange(word) and not lists.is_thing(word))


def _compiled(rule: Rule, pieces: dict[str, str | list[str]]) -> _Compiled:
    flags = re.NOFLAG if rule.cased else re.IGNORECASE
    find = re.compile(expanded(rule.find, pieces), flags)
    return _Compiled(rule, find, find.groupindex.get("it", 0))


def _is_ip(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _is_iban(text: str) -> bool:
    """ISO 13616: the letters as numbers, the first four characters last, modulo 97 is 1."""
    code = re.sub(r"[\s-]", "", text).upper()
    turned = code[4:] + code[:4]
    if not 15 <= len(code) <= 34 or not turned.isascii() or not turned.isalnum():
        return False
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


_CHECKS = {"ip": _is_ip, "iban": _is_iban}
