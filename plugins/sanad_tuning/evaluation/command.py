"""`sanad eval responder`: models and policies side by side, on scenarios and held-out talks."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from sanad_core.engine import Engine
    from sanad_tuning.evaluation.run import Figures
    from sanad_tuning.evaluation.systems import Behind, System

__all__ = ["command"]

MODEL, ENDPOINT = "--model NAME=PATH", "--endpoint NAME=URL#MODEL"


@click.command(
    "responder",
    epilog="Example: sanad eval responder held-out.jsonl --model base=models/smollm2 "
    "--model tuned=runs/first/model --policy default --out report",
)
@click.argument("file", required=False, metavar="[FILE]")
@click.option("--model", "models", multiple=True, metavar="NAME=PATH", help="A local checkpoint.")
@click.option(
    "--endpoint", "endpoints", multiple=True, metavar="NAME=URL#MODEL", help="A model on a server."
)
@click.option("--policy", "policies", multiple=True, metavar="POLICY", help="A whole policy.")
@click.option("--judge", metavar="URL#MODEL", help="A model that rates the replies as well.")
@click.option(
    "--guard", default="default", show_default=True, metavar="POLICY", help="Whose guards rate."
)
@click.option("--system", default="", help="What models are told first.")
@click.option(
    "--most",
    default=40,
    type=click.IntRange(1),
    show_default=True,
    help="Held-out talks that are answered.",
)
@click.option(
    "--max_tokens", default=120, type=click.IntRange(1), show_default=True, help="Of one reply."
)
@click.option("--bank", metavar="FILE", help="Scenarios; default: the packaged ones.")
@click.option("--baseline", metavar="FILE", help="An earlier report.json to compare with.")
@click.option("--out", required=True, metavar="DIR", help="Where the report is written.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Evaluate responders on scenarios of danger and boundaries, and on the talks of FILE.

    Every reply is rated by rules and by the reply guard along five dimensions: detects risk, asks,
    guides to care, supports, keeps an AI's boundaries. Exit code 0: done; 1: a responder failed to
    answer, something got worse than in the baseline or is missing now, or a file is wrong; 2:
    usage.
    """
    asked = _Asked(**given)
    _check_names(asked)
    before = None if asked.baseline is None else _baseline(asked.baseline)
    found = asyncio.run(_evaluate(asked))
    ctx.exit(_told(found, before, Path(asked.out)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What is asked; the options of the command say what each means."""

    file: str | None
    models: tuple[str, ...]
    endpoints: tuple[str, ...]
    policies: tuple[str, ...]
    judge: str | None
    guard: str
    system: str
    most: int
    max_tokens: int
    bank: str | None
    baseline: str | None
    out: str

    @property
    def names(self) -> list[str]:
        """What the report calls each responder."""
        models = [_pair(value, MODEL)[0] for value in self.models]
        endpoints = [_pair(value, ENDPOINT)[0] for value in self.endpoints]
        return [*models, *endpoints, *(Path(name).stem for name in self.policies)]


def _check_names(asked: _Asked) -> None:
    names = asked.names
    if not names:
        raise click.UsageError("name at least one --model, --endpoint or --policy")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise click.UsageError(
            f"two responders are called '{twice}'; a policy is called as its file is, without "
            "folder and ending"
        )


async def _evaluate(asked: _Asked) -> list[Figures]:
    from contextlib import AsyncExitStack

    from sanad_core.cli.progress import progress
    from sanad_tuning.evaluation.run import evaluate
    from sanad_tuning.evaluation.scenarios import BANK, read_bank
    from sanad_tuning.examples import read_talks

    bank = read_bank(Path(asked.bank) if asked.bank is not None else BANK)
    talks = read_talks(Path(asked.file), asked.most) if asked.file is not None else []
    judge = None if asked.judge is None else _behind("judge", asked.judge, "", asked.max_tokens)
    async with AsyncExitStack() as stack:
        guard = await _engine(stack, asked.guard)
        systems = [*_systems(asked), *await _policies(stack, asked.policies)]
        total = len(systems) * (len(bank.risk) + len(bank.boundary) + len(talks))
        with progress("answering", total) as told:
            return [await evaluate(s, bank, talks, guard, judge, told) for s in systems]


def _told(found: list[Figures], before: dict[str, Any] | None, out: Path) -> int:
    """Write the report, say what it says, and give the exit code."""
    from sanad_tuning.evaluation.report import compared, failures, markdown, write_report

    write_report(out, found)
    click.echo(markdown(found).split("\n## ")[0].strip())
    click.echo(f"\nthe whole report: {out / 'report.html'}")
    worse, new = ([], []) if before is None else compared(found, before)
    failed = failures(found)
    lines = [f"new: {line}" for line in new] + [f"worse: {line}" for line in worse]
    for line in (*([f"failed: {failed}"] if failed else ()), *lines):
        click.echo(line, err=True)
    return 1 if failed or worse else 0


async def _engine(stack: AsyncExitStack, policy: str) -> Engine:
    from sanad_core.cli.open import open_engine, started

    engine = open_engine(policy, store="memory:", notify=False)
    return await stack.enter_async_context(started(engine))


async def _policies(stack: AsyncExitStack, names: tuple[str, ...]) -> list[System]:
    from sanad_tuning.evaluation.systems import Whole

    return [Whole(Path(name).stem, await _engine(stack, name)) for name in names]


def _baseline(name: str) -> dict[str, Any]:
    from sanad_core.errors import ContentError

    try:
        data = json.loads(Path(name).read_text(encoding="utf-8"))
        figures = {str(of): dict(given) for of, given in data["figures"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        message = "is no report.json of 'sanad eval responder'"
        raise ContentError.about(name, message) from None
    return figures


def _systems(asked: _Asked) -> list[System]:
    found: list[System] = []
    for value in asked.models:
        from sanad_transformers.checkpoint import Checkpoint, Source
        from sanad_tuning.evaluation.systems import Local

        name, path = _pair(value, MODEL)
        source = Source(model=path, adapter=None, dtype="auto", device="auto")
        found.append(Local(name, Checkpoint.of(source), asked.system, asked.max_tokens))
    for value in asked.endpoints:
        name, place = _pair(value, ENDPOINT)
        found.append(_behind(name, place, asked.system, asked.max_tokens))
    return found


def _behind(name: str, place: str, system: str, most: int) -> Behind:
    from sanad_tuning.evaluation.systems import Behind

    url, mark, model = place.partition("#")
    if not mark or not url.startswith(("http://", "https://")):
        raise click.UsageError(f"'{place}' is no address with a model: URL#MODEL")
    return Behind(name, url, model, system, most)


def _pair(value: str, form: str) -> tuple[str, str]:
    name, equals, rest = value.partition("=")
    if not equals or not name or not rest:
        raise click.UsageError(f"'{value}' is not of the form {form}")
    return name, rest
