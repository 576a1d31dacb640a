"""`sanad plugins`: what is installed, and whether it loads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sanad_core.plugins import Catalog, Installed
    from sanad_core.specs import Spec

__all__ = ["command"]


@dataclass(frozen=True, slots=True)
class _Listed:
    """One installed plugin, as it is shown."""

    item: Installed
    specs: tuple[Spec, ...]
    error: str


@click.command("plugins", epilog="Example: sanad plugins --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List installed plugins: name, version, kind, hook, options, load errors.

    Unlike every other command this one imports all of them. Exit code 1 if one does not load.
    """
    from sanad_core.plugins import Catalog, installed

    listed = [_listed(Catalog(), item) for item in installed()]
    if as_json:
        click.echo(json.dumps([_view(row) for row in listed]))
    else:
        for row in listed:
            _show(row)
    ctx.exit(1 if any(row.error for row in listed) else 0)


def _listed(catalog: Catalog, item: Installed) -> _Listed:
    from sanad_core.errors import PluginError

    try:
        return _Listed(item, catalog.everything(item.name), "")
    except PluginError as err:
        return _Listed(item, (), str(err))


def _show(row: _Listed) -> None:
    head = f"{row.item.name}  {row.item.distribution} {row.item.version}"
    if row.error:
        click.echo(f"{head}\n    does not load: {row.error}")
        return
    for spec in row.specs:
        click.echo(f"{head}  {spec.kind} (hook {_hook(spec)})\n    {spec.summary}")
        for name, text in _options(spec).items():
            click.echo(f"    option {name}: {text}")
        if spec.extra:
            click.echo(f"    needs: pip install 'sanad-core[{spec.extra}]'")


def _hook(spec: Spec) -> str:
    from sanad_core.plugins import HOOKS

    return HOOKS[spec.kind]


def _options(spec: Spec) -> dict[str, str]:
    if spec.options is None:
        return {}
    schema = spec.options.model_json_schema()
    return {
        name: str(part.get("description") or part.get("type") or "")
        for name, part in schema.get("properties", {}).items()
    }


def _view(row: _Listed) -> dict[str, Any]:
    return {
        "name": row.item.name,
        "distribution": row.item.distribution,
        "version": row.item.version,
        "error": row.error or None,
        "components": [
            {
                "kind": spec.kind,
                "hook": _hook(spec),
                "summary": spec.summary,
                "options": _options(spec),
                "extra": spec.extra,
            }
            for spec in row.specs
        ],
    }
