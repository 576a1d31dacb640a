"""The deployment file, sanad.yml: what differs between one installation and another."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from sanad_core.errors import DeploymentError
from sanad_core.schema import Name, Strict, fill_environment, is_variable, validate
from sanad_core.specs import Service
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sanad_core.problems import Problem
    from sanad_core.yamlfile import Location, YamlFile

__all__ = [
    "Deployment",
    "DeploymentFile",
    "Limits",
    "NotifierPlan",
    "Server",
    "load_deployment",
]

FILE = "sanad.yml"
SECRET: dict[str, Any] = {"secret": True}


class NotifierStep(Strict):
    """A way to tell a person on call."""

    name: Name = Field(description="as a policy's `notify` names it")
    use: Name = Field(description="the notifier: log, webhook, or a plugin's")
    options: dict[str, Any] = Field(default_factory=dict)


class Endpoint(Strict):
    """An outside service that responders may use."""

    name: Name
    url: str = Field(pattern=r"^(https?://|\$\{)")
    key: str | None = Field(None, description="only as ${NAME}", json_schema_extra=SECRET)


class Server(Strict):
    """Where `sanad serve` listens."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=1, le=65535)


class Limits(Strict):
    """How much the engine takes on."""

    at_once: int = Field(64, ge=1, description="turns worked on at the same time")
    waiting: int = Field(1024, ge=0, description="messages that may wait; more are turned away")
    message: int = Field(100_000, ge=100, description="longest message, in code points")
    history: int = Field(40, ge=2, le=1000, description="turns loaded with a conversation")


class DeploymentFile(Strict):
    """The whole file."""

    sanad: Literal[1] = Field(description="version of this format")
    policy: str | None = Field(None, description="path, or name of a packaged policy")
    store: str | None = Field(None, description="memory: or sqlite:PATH")
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        None, description="country whose helplines are given"
    )
    locales: list[Name] | None = Field(None, description="languages; default: the policy's")
    helplines: str | None = Field(None, description="path of a registry; default: the packaged one")
    endpoints: list[Endpoint] = Field(default_factory=list)
    notifiers: list[NotifierStep] | None = Field(
        None, description="default: on_call, which writes to the log"
    )
    observers: list[Name] = Field(default_factory=list, description="plugins that see every turn")
    server: Server = Field(default_factory=Server)
    limits: Limits = Field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierPlan:
    """A notifier, its options as they stand in the file, and its place there."""

    name: str
    use: str
    options: dict[str, Any] = field(default_factory=dict)
    location: Location = ()


ON_CALL = (NotifierPlan(name="on_call", use="log"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment; paths in it are already relative to its own folder.

    Args:
        file: the file; None for the defaults, which are used where there is none.
        policy: the policy's path or name.
        store: the store's URL.
        region: the country.
        locales: the languages; empty: the policy's.
        helplines: the registry's path; None: the packaged one.
        notifiers: by default, `on_call` writes to the log.
        observers: plugins whose observer hook is called.
        endpoints: outside services.
        server: where to listen.
        limits: how much to take on.
    """

    file: YamlFile | None = None
    policy: str | None = None
    store: str | None = None
    region: str | None = None
    locales: tuple[str, ...] = ()
    helplines: Path | None = None
    notifiers: tuple[NotifierPlan, ...] = ON_CALL
    observers: tuple[str, ...] = ()
    endpoints: tuple[Service, ...] = ()
    server: Server = field(default_factory=Server)
    limits: Limits = field(default_factory=Limits)


def load_deployment(path: str | Path | None = None) -> tuple[Deployment, list[Problem]]:
    """Read a deployment file.

    Args:
        path: the file; None: `sanad.yml` in the working folder, or the defaults without one.

    Returns:
        The deployment, and warnings about variables that are not set.

    Raises:
        DeploymentError: with every problem found.
    """
    if path is None:
        path = Path(FILE)
        if not path.is_file():
            return Deployment(), []
    file = read_yaml(path, DeploymentError)
    model, problems = validate(file, DeploymentFile)
    if model is not None:
        problems = [*_literal_secrets(file, model), *_repeated(file, model)]
    if model is None or problems:
        raise DeploymentError(problems)
    return _compile(file, model, Path(path).parent)


def _compile(
    file: YamlFile, model: DeploymentFile, folder: Path
) -> tuple[Deployment, list[Problem]]:
    endpoints, unset = fill_environment([[e.name, e.url, e.key] for e in model.endpoints])
    warnings = [
        file.problem(("endpoints",), f"the variable {name} is not set", warning=True)
        for name in unset
    ]
    deployment = Deployment(
        file=file,
        policy=_placed(model.policy, folder),
        store=_placed_store(model.store, folder),
        region=model.region,
        locales=tuple(model.locales or ()),
        helplines=folder / model.helplines if model.helplines else None,
        notifiers=tuple(
            NotifierPlan(
                name=step.name, use=step.use, options=step.options, location=("notifiers", index)
            )
            for index, step in enumerate(model.notifiers)
        )
        if model.notifiers is not None
        else ON_CALL,
        observers=tuple(model.observers),
        endpoints=tuple(Service(name=name, url=url, key=key) for name, url, key in endpoints),
        server=model.server,
        limits=model.limits,
    )
    return deployment, warnings


def _placed(policy: str | None, folder: Path) -> str | None:
    """A policy's path as seen from the working folder; a packaged policy's name stays a name."""
    if policy is None or not (Path(policy).suffix or len(Path(policy).parts) > 1):
        return policy
    return str(folder / policy)


def _placed_store(store: str | None, folder: Path) -> str | None:
    scheme, _, place = (store or "").partition(":")
    return f"sqlite:{folder / place}" if scheme == "sqlite" and place else store


def _literal_secrets(file: YamlFile, model: DeploymentFile) -> Iterator[Problem]:
    for index, endpoint in enumerate(model.endpoints):
        if endpoint.key is not None and not is_variable(endpoint.key):
            yield literal_secret(file, ("endpoints", index, "key"))


def literal_secret(file: YamlFile, location: Location) -> Problem:
    """The problem of a secret that stands in a file; its line is not shown."""
    message = "a secret must not stand in a file; set a variable and write ${ITS_NAME} here"
    return file.problem(location, message, secret=True)


def _repeated(file: YamlFile, model: DeploymentFile) -> Iterator[Problem]:
    names = {
        "notifiers": [step.name for step in model.notifiers or ()],
        "endpoints": [endpoint.name for endpoint in model.endpoints],
        "locales": list(model.locales or ()),
    }
    for part, known in names.items():
        for index, name in enumerate(known):
            if name in known[:index]:
                yield file.problem((part, index, "name"), f"'{name}' stands twice")
