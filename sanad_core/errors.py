"""The errors Sanad raises.

SanadError
├── ConfigError          a file is wrong; carries every problem found, each with its place
│   ├── PolicyError      … the policy file
│   ├── DeploymentError  … sanad.yml
│   └── ContentError     … a data file: replies, helplines, lexicon
├── PluginError          a plugin is missing, cannot be imported, or has no such component
│   └── MissingExtra     … because an optional dependency is not installed
├── StoreError           the conversation store cannot be opened, read or written
├── ServiceError         an outside service gave nothing that can be used
├── Declined             a provider would not answer this message: a signal, not a fault
├── UsageError           the caller asked for something that cannot be
├── Overloaded           the engine has no room for one more waiting message
└── EngineClosed         the engine is not running
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from sanad_core.problems import Problem
    from sanad_core.risk import RiskKind

__all__ = [
    "ConfigError",
    "ContentError",
    "Declined",
    "DeploymentError",
    "EngineClosed",
    "MissingExtra",
    "Overloaded",
    "PluginError",
    "PolicyError",
    "SanadError",
    "ServiceError",
    "StoreError",
    "UsageError",
]


class SanadError(Exception):
    """The root of the tree; its text is one line that a user can act on."""


class ConfigError(SanadError):
    """A configuration or content file is wrong.

    Args:
        problems: every problem found, in the order of the file; never empty.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.problems,)  # an exception is otherwise made anew of its text

    @classmethod
    def about(cls, file: object, message: str) -> Self:
        """An error of one problem that is about a file as a whole.

        Args:
            file: its path.
            message: what is wrong and what to do, in one line.
        """
        from sanad_core.problems import Problem

        return cls([Problem(file=str(file), message=message)])


class PolicyError(ConfigError):
    """The policy file is wrong."""


class DeploymentError(ConfigError):
    """The deployment file (sanad.yml) is wrong."""


class ContentError(ConfigError):
    """A data file (replies, helplines, lexicon) is wrong."""


class PluginError(SanadError):
    """A plugin is missing, cannot be imported, or has no component of the name asked for."""


class MissingExtra(PluginError):
    """A component needs an optional dependency that is not installed.

    Args:
        component: the component's name in the policy.
        extra: the extra that brings what it needs.
    """

    def __init__(self, component: str, extra: str) -> None:
        self.component = component
        self.extra = extra
        super().__init__(
            f"'{component}' needs an extra that is not installed: pip install 'sanad-core[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.component, self.extra)


class StoreError(SanadError):
    """The conversation store cannot be opened, read or written."""


_CODE = re.compile("[a-z][a-z0-9_]{0,39}")


def _code(text: str) -> str:
    """A code is told and kept, so it must be none of anybody's words."""
    if not _CODE.fullmatch(text):
        raise ValueError("a code is of lower-case letters, digits and _ alone")
    return text


class ServiceError(SanadError):
    """An outside service gave nothing that can be used.

    Args:
        code: what happened, such as `http_500`, `connection_refused` or `no_first_token`; kept in
            the record of the turn.
        late: whether it took too long.
    """

    def __init__(self, code: str, *, late: bool = False) -> None:
        self.code = _code(code)
        self.late = late
        super().__init__(self.code)


class Declined(SanadError):
    """A provider's filter or model would not answer this message.

    That says something about the message: the turn's risk is raised to `low`, and what else may
    answer is decided anew.

    Args:
        code: how it said so, such as `content_filter` or `refusal`.
        kind: the kind of risk that it named; None: it named none, which is taken for the worst.
    """

    def __init__(self, code: str, kind: RiskKind | None = None) -> None:
        self.code = _code(code)
        self.kind = kind
        super().__init__(self.code)


class UsageError(SanadError):
    """The caller asked for something that cannot be done."""


class Overloaded(SanadError):
    """Too many messages are waiting; this one was not taken, so send it again."""


class EngineClosed(SanadError):
    """The engine was closed, so it takes no more messages."""
