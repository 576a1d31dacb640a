"""The `sanad` command: one file per command, each imported only when it is called."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from sanad_core import __version__
from sanad_core.errors import ConfigError, SanadError, UsageError

__all__ = ["COMMANDS", "main", "sanad"]

_CLICKS_ANSWER = "_PacifyFlushWrapper"  # what click puts in place of a closed output
_PLAIN = re.compile("-{1,2}[a-z0-9]*(-[a-z0-9]+)?")  # an option; more dashes may be a message

# Name, module, and one line of help: the list is shown without importing any of them.
COMMANDS = {
    "run": ("sanad_core.cli.run", "Talk in the terminal, or answer lines from standard input."),
    "check": ("sanad_core.cli.check", "Check a policy and show what it decides."),
    "screen": ("sanad_core.cli.screen", "Detect risk in texts; nobody is answered."),
    "guard": ("sanad_core.cli.guard", "Check replies with the guards; nobody is answered."),
    "explain": ("sanad_core.cli.explain", "Show one message's path through a policy."),
    "plugins": ("sanad_core.cli.plugins", "List what is installed."),
    "data": ("sanad_core.cli.data", "Prepare conversations for training: import, clean, check."),
    "train": ("sanad_core.cli.train", "Train a model: screening, intents, the guard, responders."),
    "eval": ("sanad_core.cli.eval", "Evaluate detectors on labelled messages, and responders."),
    "model": ("sanad_core.cli.model", "Fetch, serve and try language models."),
    "hold": ("sanad_core.cli.hold", "List or acknowledge conversations in crisis mode."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from sanad_core.problems import did_you_mean

            hint = did_you_mean(args[0], COMMANDS) or "; see 'sanad --help'"
            raise click.UsageError(f"no command is named '{args[0]}'{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: sanad run default",
)
@click.version_option(__version__, prog_name="sanad")
@click.option("--debug", is_flag=True, help="Show tracebacks, which may hold message text.")
@click.option("--verbose", "-v", is_flag=True, help="Show the log.")
def sanad(debug: bool, verbose: bool) -> None:
    """Sanad: mental-health support bots that are safe by policy."""
    level = logging.DEBUG if debug else logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=logging.WARNING, format="sanad: %(message)s", stream=sys.stderr)
    logging.getLogger("sanad").setLevel(level)


def main() -> None:
    """Run the command; every error is one line, and the exit code says what kind it was."""
    debug = "--debug" in sys.argv[1:]
    # Starting makes many objects and drops few: collecting among them took half of the start.
    gc.disable()
    if sys.stdout is None:
        click.echo("sanad: standard output is closed; there is nowhere to write to", err=True)
        sys.exit(1)
    try:
        code = sanad.main(standalone_mode=False, prog_name="sanad")
    except click.exceptions.Exit as err:
        code = err.exit_code
    except SystemExit as err:
        # Where whoever read our output has gone, click ends with 1; there is nobody to tell.
        gone = type(sys.stdout).__name__ == _CLICKS_ANSWER
        code = 0 if gone else err.code
    except click.ClickException as err:
        click.echo(f"sanad: {_said(err)}", err=True)
        code = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("", err=True)
        # A thread that loads a model cannot be stopped, and its library aborts the process if that
        # is taken down around it. What had to be kept was kept when the engine closed.
        os._exit(130)
    except SanadError as err:
        if debug:
            raise
        code = _report(err)
    except OSError as err:
        if debug:
            raise
        what = err.strerror or type(err).__name__
        place = f"'{err.filename}': " if isinstance(err.filename, str) else ""
        click.echo(f"sanad: {place}{what}; can it be written?", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing more can be written there
        code = 1
    except Exception as err:
        if debug:
            raise
        click.echo(
            f"sanad: a fault of Sanad's own ({type(err).__name__}); run it again with "
            "'sanad --debug …' and report it",
            err=True,
        )
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def _said(err: click.ClickException) -> str:
    """What click says, without what may be a message: in place of an option or an argument."""
    if isinstance(err, click.NoSuchOption):
        from sanad_core.problems import did_you_mean

        known = err.option_name if _PLAIN.fullmatch(err.option_name) else "…"
        hint = did_you_mean(known, err.possibilities or ())
        hint = hint or "; a text that begins with a dash stands after '--'"
        return f"no option is named '{known}'{hint}"
    said = err.format_message()
    if isinstance(err, click.UsageError) and said.startswith("Got unexpected extra argument"):
        return "there are more arguments than it takes; a message stands in quotes"
    return said


def _report(err: SanadError) -> int:
    if isinstance(err, ConfigError):
        for problem in err.problems:
            click.echo(problem.shown(), err=True)
    else:
        click.echo(f"sanad: {err}", err=True)
    return 2 if isinstance(err, UsageError) else 1


Function = TypeVar("Function", bound=Callable[..., Any])


def options(*names: str) -> Callable[[Function], Function]:
    """Options that several commands share, by name."""
    shared = {
        "policy": click.option(
            "--policy", metavar="POLICY", help="Path, or name of a packaged one."
        ),
        "locale": click.option("--locale", help="Language to answer in; default: the message's."),
        "region": click.option("--region", help="Country whose helplines are given, such as US."),
        "store": click.option("--store", metavar="URL", help="memory: or sqlite:PATH."),
        "config": click.option(
            "--config", metavar="FILE", help="Deployment file; default: ./sanad.yml if it is there."
        ),
    }

    def decorated(function: Function) -> Function:
        for name in reversed(names):
            function = shared[name](function)
        return function

    return decorated
