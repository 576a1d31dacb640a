"""Checks file data against a pydantic model, and turns each error into a located problem."""

from __future__ import annotations

import os
import re
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sanad_core.problems import did_you_mean, one_of
from sanad_core.text import duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from sanad_core.problems import Problem
    from sanad_core.yamlfile import Location, YamlFile

__all__ = [
    "Duration",
    "Name",
    "Options",
    "Strict",
    "fill_environment",
    "first_error",
    "is_variable",
    "validate",
    "validate_at",
]

Model = TypeVar("Model", bound=BaseModel)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Strict(BaseModel):
    """A part of a file: no unknown keys, no conversions."""

    # Built at first use: a part of a larger file is then never built on its own.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Options(Strict):
    """Options of a component; subclass it with the fields that the component takes."""


def _check_duration(text: str) -> str:
    duration(text)
    return text


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    Field(json_schema_extra={"pattern": "^[0-9.]+(ms|s|m|h|d)$"}),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]*$", max_length=200)]


def validate(file: YamlFile, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """Check a whole file.

    Args:
        file: the file as read.
        model: what it must be.

    Returns:
        The model, or None with every problem found.
    """
    return validate_at(file, (), file.data, model)


def validate_at(
    file: YamlFile, location: Location, data: Any, model: type[Model]
) -> tuple[Model | None, list[Problem]]:
    """Check the part of a file at `location`, such as a step's options."""
    if data is None:
        data = {}
    try:
        return model.model_validate(data), []
    except ValidationError as err:
        details = err.errors(include_url=False)
    return None, [_problem(file, location, detail, model) for detail in details]


def _problem(
    file: YamlFile, location: Location, detail: ErrorDetails, model: type[BaseModel]
) -> Problem:
    local: Location = tuple(detail["loc"])
    secret = _is_secret(model, local)
    where: Location = (*location, *local)
    message = _said(detail, model, secret=secret)
    if detail["type"] == "missing":
        return file.problem(where[:-1], message, key=True)
    return file.problem(where, message, key=detail["type"] == "extra_forbidden", secret=secret)


def first_error(err: ValidationError, model: type[BaseModel], secret: Iterable[str] = ()) -> str:
    """What is wrong, in one line, for data that has no places of its own, such as a row of JSON.

    Args:
        err: what pydantic raised.
        model: what the data must be.
        secret: keys whose values are not to be quoted.
    """
    detail = err.errors(include_url=False)[0]
    hidden = {*secret}
    # Where the whole is wrong there is no key, and the whole may hold what must not be quoted.
    quiet = bool(hidden) and (not detail["loc"] or not hidden.isdisjoint(map(str, detail["loc"])))
    said = _said(detail, model, secret=quiet)
    named = detail["type"] in ("missing", "extra_forbidden") or not detail["loc"]
    return said if named else f"{'.'.join(map(str, detail['loc']))}: {said}"


def _said(detail: ErrorDetails, model: type[BaseModel], *, secret: bool) -> str:
    local: Location = tuple(detail["loc"])
    if detail["type"] == "extra_forbidden":
        key = str(local[-1])
        valid = _keys_at(model, local[:-1])
        hint = did_you_mean(key, valid) or (f"; valid: {one_of(sorted(valid))}" if valid else "")
        return f"unknown key '{key}'{hint}"
    if detail["type"] == "missing":
        return f"the key '{local[-1]}' is missing"
    return _message(detail, secret)


_MUST_BE = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "tuple_type": "a list",
}


def _message(detail: ErrorDetails, secret: bool) -> str:
    shown = "what stands here" if secret else _shown(detail["input"])
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _MUST_BE:
        quote = " (quote it)" if kind == "string_type" and shown[:1].isdigit() else ""
        return f"must be {_MUST_BE[kind]}, not {shown}{quote}"
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        valid = expected or [str(context.get("expected", ""))]
        return f"{shown} is not valid here; use {one_of(valid)}{_near(detail['input'], expected)}"
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    said = detail["msg"].removeprefix("Value error, ")
    return f"{shown}: {said[:1].lower()}{said[1:]}"


def _near(value: object, valid: list[str]) -> str:
    return did_you_mean(value, valid) if isinstance(value, str) else ""


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…'"


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation can be, seen through Optional, Annotated and list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, Annotated, list, tuple):
        return [model for part in typing.get_args(annotation) for model in _models(part)]
    return []


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    here: type[BaseModel] | None = model
    for part in location:
        if here is None or not isinstance(part, str):
            continue
        field = _fields(here).get(part)
        found = _models(field.annotation) if field is not None else []
        here = found[0] if found else None
    return here


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    here = _model_at(model, location)
    return list(_fields(here)) if here is not None else []


def _is_secret(model: type[BaseModel], location: Location) -> bool:
    if not location:
        return False
    here = _model_at(model, location[:-1])
    field = _fields(here).get(str(location[-1])) if here is not None else None
    extra = field.json_schema_extra if field is not None else None
    return isinstance(extra, dict) and bool(extra.get("secret"))


def is_variable(text: str) -> bool:
    """Whether a text is `${NAME}` and nothing else, as a secret must be."""
    return _VARIABLE.fullmatch(text) is not None


def fill_environment(data: Any) -> tuple[Any, tuple[str, ...]]:
    """Replace `${NAME}` in every text by the environment variable.

    Args:
        data: options as they stand in a file.

    Returns:
        The data with the variables filled in, and the names of those that are not set.
    """
    unset: list[str] = []

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        return _VARIABLE.sub(variable, value) if isinstance(value, str) else value

    def variable(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            unset.append(found[1])
        return os.environ.get(found[1], found[0])

    return filled(data), tuple(dict.fromkeys(unset))
