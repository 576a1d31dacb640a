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
        command: click.Command | None = None if point is None else point.load()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name where there is no such command."""
        found = self._found()
        if args and args[0] not in found:
            from sanad_core.problems import did_you_mean, one_of

            hint = did_you_mean(args[0], found) or f"; there is {one_of(sorted(found))}"
            raise click.UsageError(f"'{self.name}' has no command '{args[0]}'{hint}")
        return super().resolve_command(ctx, args)
