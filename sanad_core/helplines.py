"""The helpline registry: which numbers and addresses may be given, per country and kind."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from sanad_core.errors import ContentError
from sanad_core.risk import RiskKind
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sanad_core.problems import Problem
    from sanad_core.yamlfile import Location, YamlFile

__all__ = ["HelplineRegistry", "Line", "LineKind", "Resources", "load_helplines", "normal_number"]

LineKind = Literal["suicide", "abuse", "substance", "eating_disorder", "poison", "children"]
STALE_AFTER = timedelta(days=365)
# A person's kind of risk, and the line that serves it. A general crisis line serves the kinds for
# which few countries have a line of their own.
KIND_OF_LINE: dict[RiskKind, str] = {
    RiskKind.SUICIDE: "suicide",
    RiskKind.SELF_INJURY: "suicide",
    RiskKind.HARM_TO_OTHERS: "suicide",
    RiskKind.PSYCHOSIS: "suicide",
    RiskKind.ABUSE_VICTIM: "abuse",
    RiskKind.SUBSTANCE: "substance",
    RiskKind.EATING_DISORDER: "eating_disorder",
    RiskKind.MEDICAL_EMERGENCY: "emergency",
}


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"'{value}' is not a date; write it as 2026-01-31") from None
    return value


Checked = Annotated[date, BeforeValidator(_date)] | None


class Line(Strict):
    """One service."""

    name: str = Field(min_length=1)
    kinds: list[LineKind] = Field(min_length=1)
    call: str | None = Field(None, description="what is dialled inside the country")
    text: str | None = Field(None, description="number to text")
    keyword: str | None = Field(None, description="what to text to it")
    chat: str | None = Field(None, pattern="^https://")
    hours: str = "unknown"
    languages: list[str] = Field(default_factory=list, description="empty: not known")
    verified_on: Checked = Field(description="when somebody checked the service's own site")
    source: str = Field(min_length=1)


class Emergency(Strict):
    """A country's emergency number."""

    call: str = Field(min_length=1)
    verified_on: Checked
    source: str = Field(min_length=1)


class Region(Strict):
    """The services of one country."""

    region: str = Field(pattern="^[A-Z]{2}$")
    languages: list[str] = Field(default_factory=list)
    emergency: Emergency
    lines: list[Line]


class Directory(Strict):
    """A site that lists services of many countries."""

    name: str
    url: str = Field(pattern="^https://")


class HelplineFile(Strict):
    """The registry file."""

    helplines: Literal[1]
    note: str = ""
    directories: list[Directory] = Field(min_length=1)
    regions: list[Region] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What may be given to a person.

    Args:
        emergency: the country's emergency number; None where the registry does not know it.
        urgent: whether the list of lines begins with it.
        lines: services, most fitting first.
        directories: addresses, where a country or a kind is not known.
    """

    emergency: str | None
    urgent: bool
    lines: tuple[Line, ...]
    directories: tuple[str, ...]


class HelplineRegistry:
    """Looks services up; never gives one country's number to another.

    Args:
        file: the registry file's content.
    """

    def __init__(self, file: HelplineFile) -> None:
        self._regions = {region.region: region for region in file.regions}
        self.directories = tuple(directory.url for directory in file.directories)
        self.numbers = frozenset(normal_number(number) for number in self._all_numbers())

    @property
    def regions(self) -> tuple[str, ...]:
        """The country codes that the registry knows."""
        return tuple(self._regions)

    def _all_numbers(self) -> Iterable[str]:
        for region in self._regions.values():
            yield region.emergency.call
            for line in region.lines:
                yield from (number for number in (line.call, line.text) if number)

    def find(
        self, region: str | None, wanted: Iterable[str], kinds: Iterable[RiskKind]
    ) -> Resources:
        """The services for a decision.

        Args:
            region: ISO 3166 country code; None or an unknown one gives no number at all.
            wanted: `emergency`, `for_kind`, or kinds of line.
            kinds: the kinds of risk that `for_kind` stands for.

        Returns:
            The services. Where a kind has none, the emergency number and the directories.
        """
        here = self._regions.get(region or "")
        kinds_of_line = list(_kinds_of_line(wanted, tuple(kinds)))
        if here is None:
            nearby = self.directories[:1]
            return Resources(emergency=None, urgent=True, lines=(), directories=nearby)
        lines: dict[str, Line] = {}
        missing = False
        for kind in kinds_of_line:
            found = [line for line in here.lines if kind in line.kinds]
            lines |= {line.name + (line.call or ""): line for line in found[:2]}
            missing = missing or (not found and kind != "emergency")
        return Resources(
            emergency=here.emergency.call,
            urgent=missing or "emergency" in kinds_of_line,
            lines=tuple(lines.values()),
            directories=self.directories[:1] if missing else (),
        )


def _kinds_of_line(wanted: Iterable[str], kinds: tuple[RiskKind, ...]) -> Iterable[str]:
    names = list(wanted)
    if "for_kind" in names:
        names += [KIND_OF_LINE[kind] for kind in kinds] or ["suicide"]
    return dict.fromkeys(name for name in names if name != "for_kind")


def normal_number(number: str) -> str:
    """A number's digits alone, as numbers are compared."""
    return re.sub(r"\D", "", number)


def load_helplines(path: Path | str) -> tuple[HelplineRegistry, list[Problem]]:
    """Read a registry.

    Args:
        path: the file.

    Returns:
        The registry, and one warning that counts the numbers nobody has checked.

    Raises:
        ContentError: the file is wrong, or a check is more than twelve months old.
    """
    file = read_yaml(path, ContentError)
    content, problems = validate(file, HelplineFile)
    if content is None:
        raise ContentError(problems)
    errors, warnings = _ages(file, content)
    errors += _repeated(file, content)
    if errors:
        raise ContentError(errors)
    return HelplineRegistry(content), warnings


def _repeated(file: YamlFile, content: HelplineFile) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, region in enumerate(content.regions):
        if region.region in seen:
            message = f"the region '{region.region}' stands twice"
            problems.append(file.problem(("regions", index, "region"), message))
        seen.add(region.region)
        for row, line in enumerate(region.lines):
            if not (line.call or line.text or line.chat):
                message = f"'{line.name}' has no 'call', 'text' or 'chat': nobody can reach it"
                problems.append(file.problem(("regions", index, "lines", row), message))
    return problems


def _ages(file: YamlFile, content: HelplineFile) -> tuple[list[Problem], list[Problem]]:
    old: list[Problem] = []
    unchecked = 0
    for index, region in enumerate(content.regions):
        where: Location = ("regions", index)
        rows: list[tuple[Location, date | None]] = [(("emergency",), region.emergency.verified_on)]
        rows += [(("lines", row), line.verified_on) for row, line in enumerate(region.lines)]
        for place, checked in rows:
            if checked is None:
                unchecked += 1
            elif date.today() - checked > STALE_AFTER:
                message = f"was checked on {checked}, over 12 months ago; check it again"
                old.append(file.problem((*where, *place, "verified_on"), message))
    if not unchecked:
        return old, []
    message = f"{unchecked} numbers have 'verified_on: null': nobody has checked them yet"
    return old, [file.problem(("regions",), message, key=True, warning=True)]
