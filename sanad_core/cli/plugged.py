"""Command groups whose commands come from plugins, by entry point: `sanad train …` and others."""

from __future__ import annotations

import importlib.metadata

import click

__all__ = ["GROUP", "PluggedGroup"]

GROUP = "sanad.commands"  # entry points named `train.screen`: the group, and the command in it


class PluggedGroup(click.Group):
    """A group whose commands plugins bring; none is imported before it is called.

    Args:
        name: the group's name, the first part of the entry points' names.
        summary: one line of help.
    """

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(
            name, help=summary, context_settings={"help_option_names": ["-h", "--help"]}
        )

    def _found(self) -> dict[str, importlib.metadata.EntryPoint]:
        prefix = f"{self.name}."
        points = importlib.metadata.entry_points(group=GROUP)
        return {p.name.removeprefix(prefix): p for p in points if p.name.startswith(prefix)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(self._found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; its module is imported now."""
        point = self._found().get(cmd_name)
        try:
            command: click.Command | None = None if point is None else point.load()
        except Exception as err:  # a plugin may raise anything when it is imported
            said = f"the command '{self.name} {cmd_name}' cannot be imported: {type(err).__name__}"
            return click.Command(cmd_name, help=said, callback=lambda: _refuse(said))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is no such command."""
        found = self._found()
        if args and args[0] not in found:
            from sanad_core.problems import did_you_mean, one_of

            names = sorted(found) or ["none"]
            hint = did_you_mean(args[0], found) or f"; there is {one_of(names)}"
            raise click.UsageError(f"'{self.name}' has no command '{args[0]}'{hint}")
        return super().resolve_command(ctx, args)


def _refuse(said: str) -> None:
    from sanad_core.errors import PluginError

    raise PluginError(said)
