"""The package: what is imported when, what the wheel holds, what is public."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, SANAD

import sanad_core
from sanad_core import errors

HEAVY = (
    "torch", "transformers", "sentence_transformers", "vllm", "openai", "starlette", "fastapi",
    "uvicorn", "aiohttp", "flask", "ray", "datasets", "spacy", "onnxruntime", "numpy",
)  # fmt: skip
# What the start of the command line must not cost.
SLOW = ("pydantic", "yaml", "httpx", "rich", "prompt_toolkit", "asyncio", "sqlite3", "tenacity")


def imported(script: str) -> set[str]:
    code = f"{script}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_imports_nothing_heavy_and_nothing_slow() -> None:
    script = f"""
import sys, runpy
sys.argv = ["sanad", "--help"]
try:
    runpy.run_path({SANAD!r}, run_name="__main__")
except SystemExit:
    pass
"""
    assert imported(script) & {*HEAVY, *SLOW} == set()


def test_loading_every_built_in_spec_imports_nothing_heavy() -> None:
    script = """
from sanad_core.plugins import Catalog, installed
catalog = Catalog()
assert len([spec for item in installed() for spec in catalog.everything(item.name)]) >= 7
"""
    assert imported(script) & {*HEAVY, "httpx", "rich", "prompt_toolkit"} == set()


def test_a_plugin_that_the_policy_does_not_name_is_not_imported() -> None:
    script = """
from sanad_core import Engine
engine = Engine.from_policy("minimal")
engine.respond_sync("hello", conversation_id="c")
engine.close_sync()
"""
    modules = imported(script)
    assert {"sanad_lexicon", "sanad_rules", "sanad_guard", "sanad_stores"} <= modules
    assert modules & {*HEAVY, "httpx", "rich", "prompt_toolkit", "tenacity"} == set()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(out),
        ".",
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_holds_only_sanad_packages_and_all_their_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {
        "sanad_core", "sanad_policies", "sanad_lexicon", "sanad_rules", "sanad_guard",
        "sanad_stores", "sanad_notifiers", "sanad_sentiment", "sanad_screen", "sanad_intents",
        "sanad_classifier", "sanad_openai", "sanad_transformers", "sanad_persona", "sanad_model",
        "sanad_data", "sanad_tuning",
    }  # fmt: skip
    for data in (
        "sanad_policies/default.yml",
        "sanad_policies/helplines.yml",
        "sanad_policies/replies/ar.yml",
        "sanad_lexicon/data/en/suicide.yml",
        "sanad_rules/texts/en/listen.yml",
        "sanad_guard/phrases.yml",
        "sanad_guard/model/guard.onnx",
        "sanad_guard/corpus/train.jsonl",
        "sanad_model/models.yml",
        "sanad_persona/default.yml",
        "sanad_tuning/scenarios.yml",
        "sanad_screen/model/screen.json",
        "sanad_screen/model/trunk.onnx",
        "sanad_screen/corpus/train-talks.jsonl",
        "sanad_intents/data/support.yml",
        "sanad_intents/data/support.nlu.npz",
        "sanad_core/py.typed",
    ):
        assert data in names


def test_an_installed_wheel_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    script = """
import sys
sys.path.insert(0, sys.argv[1])
import sanad_core
assert sanad_core.__file__.startswith(sys.argv[1]), sanad_core.__file__
from sanad_core import Engine
engine = Engine.from_policy("default")
print(engine.respond_sync("I am going to kill myself tonight", conversation_id="c").decision.rule)
engine.close_sync()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(target)], capture_output=True, text=True, cwd=tmp_path,
        check=False,
    )  # fmt: skip
    assert done.stdout == "imminent\n", done.stderr


@pytest.mark.parametrize(
    "module",
    sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in (ROOT / "sanad_core").rglob("*.py")
    ),
)
def test_every_module_says_what_it_holds_and_what_is_public(module: str) -> None:
    found = importlib.import_module(module)
    assert (found.__doc__ or "").strip()
    for name in found.__all__:
        assert hasattr(found, name), f"{module}.{name}"


def test_the_top_level_gives_what_it_lists() -> None:
    for name in sanad_core.__all__:
        assert getattr(sanad_core, name) is not None
    with pytest.raises(AttributeError):
        sanad_core.Manager  # noqa: B018


def test_the_errors_form_one_tree_that_is_drawn() -> None:
    drawn = errors.__doc__ or ""
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.SanadError)
        assert name in drawn


def test_modules_stay_small() -> None:
    paths = [*(ROOT / "sanad_core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    long = {
        str(path.relative_to(ROOT)): count
        for path in paths
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}
