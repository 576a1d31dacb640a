"""YAML that knows where every key and value stands, and accepts nothing ambiguous.

PyYAML alone keeps the last of two equal keys, reads `no` as False and `1:30` as 90. A safety file
must not be misread silently, so the node tree is read here: duplicate keys, anchors and tags are
problems, and only `true`, `false`, `null` and plain decimal numbers are anything but text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sanad_core.errors import ConfigError
from sanad_core.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Location", "YamlFile", "read_text", "read_yaml"]

Location = tuple[str | int, ...]

MAX_BYTES = 4 * 1024 * 1024
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+)\Z")
# What PyYAML gives to nodes that have no tag of their own; its guesses at types are not followed.
_PLAIN = ["map", "seq", "str", "int", "float", "bool", "null", "timestamp", "merge", "value"]
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in _PLAIN)
MAX_DEPTH = 50
_BRACKET = re.compile(r"[\[\]{}]")
_DEEP_BLOCK = re.compile(r"^ {200}|^ *(?:[-?:] +){20}", re.MULTILINE)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file: plain data, and the place of everything in it.

    Args:
        path: as the user gave it.
        lines: the file's lines, for messages.
        data: dicts, lists, str, int, float, bool and None.
        digest: hex SHA-256 of the file's bytes.
        values: place of the value at each location.
        keys: place of the key at each location.
    """

    path: str
    lines: tuple[str, ...]
    data: Any
    digest: str
    values: dict[Location, tuple[int, int]]
    keys: dict[Location, tuple[int, int]]

    def nearest(self, location: Location) -> Location:
        """The part of `location` that the file has; parts it does not have are passed over."""
        found: Location = ()
        for part in location:
            if (*found, part) in self.values:
                found = (*found, part)
        return found

    def mark(self, location: Location, *, key: bool = False) -> tuple[int, int]:
        """1-based line and column of the value (or the key) at the nearest location."""
        found = self.nearest(location)
        return (self.keys if key and found in self.keys else self.values).get(found, (1, 1))

    def problem(
        self,
        location: Location,
        message: str,
        *,
        key: bool = False,
        warning: bool = False,
        secret: bool = False,
    ) -> Problem:
        """A problem at a location.

        Args:
            location: keys and indices from the root.
            message: one line.
            key: point at the key rather than at its value.
            warning: whether it is only a warning.
            secret: leave the source line out, since it holds a secret.
        """
        line, column = self.mark(location, key=key)
        source = "" if secret or line > len(self.lines) else self.lines[line - 1]
        return Problem(
            file=self.path,
            line=line,
            column=column,
            message=message,
            source=source,
            warning=warning,
        )

    def at(self, location: Location) -> str:
        """`file:line` of the value at a location."""
        return f"{self.path}:{self.mark(location)[0]}"


def read_text(path: str | Path, error: type[ConfigError] = ConfigError) -> tuple[str, bytes]:
    """Read a UTF-8 text file, or say in one line why it cannot be read.

    Args:
        path: the file.
        error: the class of error to raise.

    Returns:
        The text, without a byte order mark, and the bytes.

    Raises:
        ConfigError: it is missing, a directory, unreadable, empty, too large, or not UTF-8.
    """

    def wrong(message: str, line: int = 0, column: int = 0) -> ConfigError:
        return error([Problem(file=str(path), line=line, column=column, message=message)])

    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise wrong("no such file") from None
    except IsADirectoryError:
        raise wrong("is a directory; name a file in it") from None
    except (OSError, ValueError) as err:
        raise wrong(f"cannot be read: {getattr(err, 'strerror', None) or err}") from None
    if len(raw) > MAX_BYTES:
        raise wrong(f"is larger than {MAX_BYTES // 1024 // 1024} MB; is it the right file?")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw.count(b"\n", 0, err.start) + 1
        column = err.start - (raw.rfind(b"\n", 0, err.start) + 1) + 1
        raise wrong("is not UTF-8 here; save the file as UTF-8", line, column) from None
    if not text.strip():
        raise wrong("is empty")
    return text, raw


def read_yaml(path: str | Path, error: type[ConfigError] = ConfigError) -> YamlFile:
    """Read one YAML file strictly.

    Args:
        path: the file.
        error: the class of error to raise.

    Returns:
        The data and the places.

    Raises:
        ConfigError: with every problem of the file's form; what it says is checked elsewhere.
    """
    text, raw = read_text(path, error)
    lines = tuple(text.splitlines())
    reading = _Reading(str(path), lines)
    data = reading.read(text)
    if reading.problems:
        raise error(reading.problems)
    digest = hashlib.sha256(raw).hexdigest()
    return YamlFile(str(path), lines, data, digest, reading.values, reading.keys)


@dataclass(slots=True)
class _Reading:
    """One pass over a node tree."""

    path: str
    lines: tuple[str, ...]
    problems: list[Problem] = field(default_factory=list)
    values: dict[Location, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Location, tuple[int, int]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def read(self, text: str) -> Any:
        if _too_deep(text):
            self.problems.append(Problem(file=self.path, message="is nested too deeply"))
            return None
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            return None if node is None else self.value(node, ())
        except yaml.MarkedYAMLError as err:
            self.syntax(err)
        except yaml.YAMLError as err:
            self.problems.append(Problem(file=self.path, message=_one_line(str(err))))
        finally:
            loader.dispose()
        return None

    def syntax(self, err: yaml.MarkedYAMLError) -> None:
        said = " ".join(part for part in (err.context, err.problem) if part)
        mark = err.problem_mark or err.context_mark
        self.add(mark, f"not valid YAML: {_one_line(said)}")

    def add(self, mark: Any, message: str) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        source = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        self.problems.append(
            Problem(file=self.path, line=line, column=column, message=message, source=source)
        )

    def value(self, node: yaml.Node, location: Location) -> Any:
        self.values[location] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self.seen:
            self.add(node.start_mark, "anchors and aliases (&, *) are not allowed; write it out")
            return None
        self.seen.add(id(node))
        if node.tag not in _TAGS:
            self.add(node.start_mark, f"tags are not allowed: '{node.tag}'")
            return None
        if isinstance(node, yaml.MappingNode):
            return dict(self.pairs(node, location))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*location, i)) for i, item in enumerate(node.value)]
        return self.scalar(node)

    def pairs(self, node: yaml.MappingNode, location: Location) -> Iterator[tuple[str, Any]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                self.add(key_node.start_mark, "a key must be plain text")
                continue
            line = key_node.start_mark.line + 1
            if key in first:
                message = f"'{key}' stands twice; the first is on line {first[key]}"
                self.add(key_node.start_mark, message)
                continue
            first[key] = line
            self.keys[(*location, key)] = (line, key_node.start_mark.column + 1)
            yield key, self.value(value_node, (*location, key))

    def scalar(self, node: yaml.Node) -> Any:
        text = str(node.value)
        if getattr(node, "style", None) in ("'", '"', "|", ">"):
            return text
        if text in ("true", "false"):
            return text == "true"
        if text in ("", "null", "~"):
            return None
        if _INT.match(text):
            return int(text) if len(text) <= 18 else text
        return float(text) if _FLOAT.match(text) else text


def _too_deep(text: str) -> bool:
    """Whether brackets, dashes or indentation nest so deeply that the C parser would overflow."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > MAX_DEPTH:
            return True
    return _DEEP_BLOCK.search(text) is not None


def _one_line(text: str) -> str:
    return " ".join(text.split())
