"""`sanad eval responder`: models and policies side by side, on scenarios and held-out talks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sanad_tuning.evaluation.systems import Behind, System

__all__ = ["command"]


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
@click.option("--most", default=40, show_default=True, help="Held-out talks that are answered.")
@click.option("--max_tokens", default=120, show_default=True, help="Of one reply.")
@click.option("--bank", metavar="FILE", help="Scenarios; default: the packaged ones.")
@click.option("--baseline", metavar="FILE", help="An earlier report.json to compare with.")
@click.option("--out", required=True, metavar="DIR", help="Where the report is written.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> None:
    """Evaluate responders on scenarios of danger and boundaries, and on the talks of FILE.

    Every reply is rated by rules and by the reply guard along five dimensions: detects risk, asks,
    guides to care, supports, keeps an AI's boundaries. Exit code 0: done; 1: something got worse
    than in the baseline, or a file is wrong; 2: usage.
    """
    worse = asyncio.run(_evaluate(**given))
    for line in worse:
        click.echo(f"worse: {line}", err=True)
    ctx.exit(1 if worse else 0)


async def _evaluate(
    *,
    file: str | None,
    models: tuple[str, ...],
    endpoints: tuple[str, ...],
    policies: tuple[str, ...],
    judge: str | None,
    guard: str,
    system: str,
    most: int,
    max_tokens: int,
    bank: str | None,
    baseline: str | None,
    out: str,
) -> list[str]:
    from contextlib import AsyncExitStack

    from sanad_core.cli.open import open_engine, started
    from sanad_core.cli.progress import progress
    from sanad_core.errors import ContentError
    from sanad_tuning.evaluation.report import markdown, regressions, write_report
    from sanad_tuning.evaluation.run import evaluate
    from sanad_tuning.evaluation.scenarios import BANK, read_bank
    from sanad_tuning.examples import read_talks

    read = read_bank(Path(bank) if bank is not None else BANK)
    talks = read_talks(Path(file))[:most] if file is not None else []
    before = _baseline(baseline, ContentError)
    async with AsyncExitStack() as stack:
        rating = open_engine(guard, store="memory:", notify=False)
        await stack.enter_async_context(started(rating))
        systems = _systems(models, endpoints, system, max_tokens)
        for name in policies:
            from sanad_tuning.evaluation.systems import Whole

            engine = open_engine(name, store="memory:", notify=False)
            await stack.enter_async_context(started(engine))
            systems.append(Whole(Path(name).stem, engine))
        if not systems:
            raise click.UsageError("name at least one --model, --endpoint or --policy")
        total = len(systems) * (len(read.risk) + len(read.boundary) + len(talks))
        judging = None if judge is None else _behind("judge", judge, "", max_tokens)
        with progress("answering", total) as told:
            found = [await evaluate(s, read, talks, rating, judging, told) for s in systems]
    write_report(Path(out), found)
    click.echo(markdown(found).split("\n## ")[0].strip())
    click.echo(f"\nthe whole report: {Path(out) / 'report.html'}")
    return regressions(found, before) if before is not None else []


def _baseline(name: str | None, error: Any) -> dict[str, Any] | None:
    if name is None:
        return None
    try:
        data = json.loads(Path(name).read_text(encoding="utf-8"))
        figures: dict[str, Any] = data["figures"]
    except (OSError, ValueError, KeyError, TypeError):
        raise error.about(name, "is no report.json of 'sanad eval responder'") from None
    return figures


def _systems(
    models: tuple[str, ...], endpoints: tuple[str, ...], system: str, most: int
) -> list[System]:
    found: list[System] = []
    for value in models:
        from sanad_transformers.checkpoint import Checkpoint, Source
        from sanad_tuning.evaluation.systems import Local

        name, path = _pair(value, "--model NAME=PATH")
        source = Source(model=path, adapter=None, dtype="auto", device="auto")
        found.append(Local(name, Checkpoint.of(source), system, most))
    for value in endpoints:
        name, place = _pair(value, "--endpoint NAME=URL#MODEL")
        found.append(_behind(name, place, system, most))
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
