"""The docs are true: every command and example in them is run, every key and module is there."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

from sanad_core.deployment import DeploymentFile, load_deployment
from sanad_core.policy import load_policy
from sanad_core.policyfile import PolicyFile
from sanad_core.schema import Strict

PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Shown in the README, and run by the tests of the make targets in CI rather than here.
MAKE = ("make run", "make test", "git clone")


def blocks(page: Path, kind: str) -> list[tuple[int, str]]:
    text = page.read_text(encoding="utf-8")
    return [
        (text[: found.start()].count("\n") + 2, found[2])
        for found in BLOCK.finditer(text)
        if found[1] == kind
    ]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("policies", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copytree(
        ROOT / "plugins", tmp_path / "plugins", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "sanad.yml", tmp_path)
    return tmp_path


def shown(line: str, printed: list[str]) -> bool:
    pattern = ".*".join(re.escape(part) for part in line.split("…"))
    return any(re.fullmatch(pattern, candidate) for candidate in printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page: Path, checkout: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "NO_COLOR": "1"}
    for start, body in blocks(page, "console"):
        for command, code, lines in commands(body):
            if command.startswith(MAKE):
                continue
            done = subprocess.run(
                ["bash", "-c", command], cwd=checkout, env=env, capture_output=True, text=True,
                timeout=60, check=False,
            )  # fmt: skip
            printed = (done.stdout + done.stderr).splitlines()
            assert done.returncode == code, (start, command, printed[-20:])
            for line in lines:
                assert shown(line, printed), (start, command, line, printed[-30:])


def commands(body: str) -> list[tuple[str, int, list[str]]]:
    found: list[tuple[str, int, list[str]]] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], 0, []))
        elif re.fullmatch(r"# exit \d+", line):
            found[-1] = (found[-1][0], int(line.split()[-1]), found[-1][2])
        elif line.strip():
            found[-1][2].append(line)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    monkeypatch.syspath_prepend(str(checkout))
    namespace: dict[str, Any] = {"__name__": "__docs__"}

    async def run_all() -> None:
        for line, body in blocks(page, "python"):
            flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            code = compile("\n" * (line - 1) + body, str(page), "exec", flags=flags)
            result = eval(code, namespace)
            if inspect.iscoroutine(result):
                await result
        gc.collect()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(run_all())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_on_a_page_are_valid(page: Path, tmp_path: Path) -> None:
    for line, body in blocks(page, "yaml"):
        path = tmp_path / f"at-{line}.yml"
        path.write_text(body, encoding="utf-8")
        if body.startswith("# policy"):
            load_policy(path)
        elif body.startswith("# sanad.yml"):
            load_deployment(path)
        else:
            yaml.safe_load(body)
    for _, body in blocks(page, "json"):
        json.loads(body)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def keys(model: type[Strict], seen: set[type]) -> set[str]:
    from sanad_core.schema import _models

    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for inner in _models(field.annotation):
            if inner not in seen:
                found |= keys(inner, seen | {model})
    return found


@pytest.mark.parametrize(
    ("page", "model"), [("policy.md", PolicyFile), ("deployment.md", DeploymentFile)]
)
def test_every_key_is_in_its_reference(page: str, model: type[Strict]) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    missing = [key for key in sorted(keys(model, set())) if not re.search(rf"\b{key}\b", text)]
    assert missing == []


@pytest.mark.parametrize(("name", "model"), [("policy", PolicyFile), ("sanad", DeploymentFile)])
def test_the_published_schema_is_that_of_the_code(name: str, model: type[Strict]) -> None:
    """Editors complete a policy by it; `make schema` writes it."""
    published = json.loads((ROOT / "docs" / "schema" / f"{name}.schema.json").read_text())
    assert published == json.loads(json.dumps(model.model_json_schema()))


def test_every_command_and_hook_is_in_the_reference() -> None:
    from sanad_core.cli import COMMANDS
    from sanad_core.plugins import HOOKS

    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name in (*(f"sanad {command}" for command in COMMANDS), *HOOKS.values()):
        assert name in text, name


def test_every_module_of_the_core_is_on_the_map() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "sanad_core").rglob("*.py"):
        if path.name != "__init__.py":
            assert path.name in text, path.name


def test_the_changelog_has_the_version() -> None:
    import sanad_core

    assert f"## {sanad_core.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
