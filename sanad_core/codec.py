"""Records as JSON: an exchange, a hold and a notice, to text and back."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

__all__ = ["dumps", "loads"]

T = TypeVar("T")
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(model: type[Any]) -> TypeAdapter[Any]:
    """Building one takes milliseconds, so each is kept."""
    if model not in _ADAPTERS:
        _ADAPTERS[model] = TypeAdapter(model)
    return _ADAPTERS[model]


def dumps(value: object) -> str:
    """A value of `sanad_core.types` or `sanad_core.notices` as JSON text."""
    return _adapter(type(value)).dump_json(value, warnings="error").decode()


def loads(model: type[T], text: str) -> T:
    """The value that `dumps` wrote.

    Raises:
        ValueError: the text is not such a value.
    """
    value: T = _adapter(model).validate_json(text)
    return value
