"""Finds plugins by entry point, and imports only those that are asked for."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

from sanad_core import hookspecs
from sanad_core.errors import PluginError
from sanad_core.problems import did_you_mean
from sanad_core.specs import Spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sanad_core.types import Exchange

__all__ = ["GROUP", "HOOKS", "Catalog", "Installed", "installed"]

GROUP = "sanad"
HOOKS = {
    "detector": "sanad_detectors",
    "responder": "sanad_responders",
    "guard": "sanad_guards",
    "store": "sanad_stores",
    "notifier": "sanad_notifiers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """An entry point: known by name, not imported.

    Args:
        name: the component's name.
        module: where it is.
        distribution: the package that brought it.
        version: the package's version.
    """

    name: str
    module: str
    distribution: str
    version: str


def installed() -> tuple[Installed, ...]:
    """Every plugin that is installed, by name; nothing is imported."""
    found = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        dist = point.dist
        found[point.name, point.value] = Installed(
            name=point.name,
            module=point.value,
            distribution=dist.name if dist is not None else "unknown",
            version=dist.version if dist is not None else "unknown",
        )
    return tuple(sorted(found.values(), key=lambda item: (item.name, item.module)))


class Catalog:
    """The components that one engine can use.

    Args:
        plugins: further plugin objects or modules, used beside the installed ones; for tests and
            for applications that bring their own.
    """

    def __init__(self, plugins: Iterable[object] = ()) -> None:
        self._manager = pluggy.PluginManager("sanad")
        self._manager.add_hookspecs(hookspecs)
        self._installed = installed()
        self._specs: dict[tuple[str, str], tuple[Spec, str]] = {}
        self._imported: set[str] = set()
        for plugin in plugins:
            self._register(plugin, getattr(plugin, "__name__", type(plugin).__name__), "given")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that can be asked for."""
        own = {name for _, name in self._specs}
        return tuple(sorted(own | {item.name for item in self._installed}))

    def knows(self, name: str) -> bool:
        """Whether some plugin has this name; nothing is imported."""
        return name in self.names

    def version(self, kind: str, name: str) -> str:
        """The version of the package that brought a component already loaded."""
        return self._specs[kind, name][1]

    def spec(self, kind: str, name: str) -> Spec:
        """Load one component's spec.

        Args:
            kind: detector, responder, guard, store or notifier.
            name: the component's name.

        Raises:
            PluginError: nothing has that name, its module cannot be imported, or it has no
                component of that kind.
        """
        if (kind, name) not in self._specs:
            self._load(name)
        if (kind, name) not in self._specs:
            kinds = sorted(known for known, other in self._specs if other == name)
            what = f"it is a {' and a '.join(kinds)}" if kinds else "its module names no such thing"
            raise PluginError(f"'{name}' is not a {kind}; {what}")
        return self._specs[kind, name][0]

    def everything(self, name: str) -> tuple[Spec, ...]:
        """Every component of a name, of any kind; for listings.

        Raises:
            PluginError: as for `spec`.
        """
        self._load(name)
        return tuple(spec for (_, own), (spec, _) in self._specs.items() if own == name)

    def observe(self, name: str) -> None:
        """Load a plugin for its observer hook alone.

        Raises:
            PluginError: as for `spec`.
        """
        self._load(name)

    def observers(self) -> tuple[Callable[[Exchange], object], ...]:
        """The loaded plugins' `sanad_exchange_done`."""
        return tuple(
            impl.function for impl in self._manager.hook.sanad_exchange_done.get_hookimpls()
        )

    def _load(self, name: str) -> None:
        points = [item for item in self._installed if item.name == name]
        if not points:
            if any(own == name for _, own in self._specs):
                return
            raise PluginError(f"no plugin is named '{name}'{did_you_mean(name, self.names)}")
        if len(points) > 1:
            who = " and ".join(sorted(item.distribution for item in points))
            raise PluginError(f"two packages bring a plugin named '{name}': {who}; remove one")
        if points[0].module in self._imported:
            return
        self._register(_import(points[0]), points[0].module, points[0].version)
        self._imported.add(points[0].module)

    def _register(self, plugin: object, name: str, version: str) -> None:
        try:
            self._manager.register(plugin, name=name)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as err:
            raise PluginError(f"plugin '{name}': {str(err).splitlines()[0]}") from err
        for kind, hook in HOOKS.items():
            for spec in self._given(plugin, name, hook):
                if not isinstance(spec, Spec) or spec.kind != kind:
                    raise PluginError(f"plugin '{name}': {hook} gave what is not a {kind} spec")
                if (kind, spec.name) in self._specs:
                    raise PluginError(f"two plugins bring a {kind} named '{spec.name}'")
                self._specs[kind, spec.name] = (spec, version)

    def _given(self, plugin: object, name: str, hook: str) -> list[Any]:
        caller = getattr(self._manager.hook, hook)
        impls = [impl for impl in caller.get_hookimpls() if impl.plugin is plugin]
        try:
            return [spec for impl in impls for spec in impl.function()]
        except Exception as err:
            raise PluginError(f"plugin '{name}': {hook} raised {type(err).__name__}") from err


def _import(item: Installed) -> Any:
    point = importlib.metadata.EntryPoint(item.name, item.module, GROUP)
    try:
        return point.load()
    except Exception as err:
        raise PluginError(
            f"plugin '{item.name}' ({item.distribution}) cannot be imported: "
            f"{type(err).__name__}: {err}"
        ) from err
