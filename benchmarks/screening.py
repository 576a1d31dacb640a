"""Measures detection on public data and the corpus's test part. It measures only: never tune to it.

Run `make bench-screen DATA=FOLDER`; the folder holds the sets as their publishers give them. The
lexicon alone, the model alone and both are measured beside each other, with 95% Wilson intervals.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sanad_core.cli.progress import progress
from sanad_core.deployment import Deployment, NotifierPlan
from sanad_core.risk import Level
from sanad_screen.evaluation.detect import findings, open_detection
from sanad_screen.evaluation.labelled import Labelled, read_labelled
from sanad_screen.evaluation.measure import Finding, kappa, micro_f1, share
from sanad_screen.rows import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sanad_screen.evaluation.detect import Detection

ROOT = Path(__file__).resolve().parent.parent
ELLIS = {"suicidal_ideation": "low+", "self-harm": "low+", "no_crisis": "none"}


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path, help="another model's folder")
    parser.add_argument("--point", default="default", help="operating point")
    parser.add_argument(
        "--beside", action="append", default=[], metavar="NAME=FOLDER", help="models alone, instead"
    )
    options = parser.parse_args()
    model = None if options.model is None else options.model.resolve()
    named = dict(given.split("=", 1) for given in options.beside)
    beside = {name: Path(folder).resolve() for name, folder in named.items()}
    asyncio.run(measure(options.data, model, options.point, beside))


async def measure(data: Path, model: Path | None, point: str, beside: dict[str, Path]) -> None:
    """Run every detector over every set: one model and the lexicon, or several models alone."""
    sets = read_sets(data)
    if beside:
        detections = {
            name: await detection("screen", folder, point) for name, folder in beside.items()
        }
    else:
        detections = {
            "lexicon": await detection("lexicon", model, point),
            "model": await detection("screen", model, point),
            "both": await detection(None, model, point),
        }
    total = len(detections) * sum(len(rows) for rows in sets.values())
    found: dict[str, dict[str, list[Finding]]] = {}
    with progress("screening", total) as told:
        for set_name, rows in sets.items():
            found[set_name] = {
                name: await findings(used, rows, told) for name, used in detections.items()
            }
    print(f"| set | measure | {' | '.join(detections)} |")
    print(f"|---|---|{'---|' * len(detections)}")
    for set_name, rows in sets.items():
        for measure_name, figures in lines(set_name, rows, found[set_name]):
            print(f"| {set_name} ({len(rows)}) | {measure_name} | {' | '.join(figures)} |")


async def detection(only: str | None, model: Path | None, point: str) -> Detection:
    """The lexicon, the screening model, or both, as the default policy has them."""
    policy = yaml.safe_load((ROOT / "policies" / "minimal.yml").read_text())
    step: dict[str, Any] = {"use": "screen", "required": True, "options": {"point": point}}
    if model is not None:
        step["options"]["folder"] = str(model)
    policy["detect"] = [{"use": "lexicon", "required": True}, step]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.yml"
        path.write_text(yaml.safe_dump(policy, sort_keys=False))
        deployment = Deployment(notifiers=(NotifierPlan(name="on_call", use="log"),))
        return await open_detection(only or "both", path, deployment, only)


def read_sets(data: Path) -> dict[str, list[Labelled]]:
    """The sets that are there."""
    sets = {
        "ellis_crisis": read_labelled(
            data / "ellis_crisis" / "llm_labelled_dev.jsonl", "label", ELLIS | _others("skip")
        ),
        "everyday_negatives": read_labelled(
            data / "everyday_negatives" / "dev.jsonl", "expected", {}
        ),
        "suicidewatch_cssrs": read_labelled(
            data / "suicidewatch_cssrs" / "dev.jsonl", "severity_human", {}
        ),
    }
    clinc = json.loads((data / "clinc150" / "data_full.json").read_text())
    sets["CLINC150 test, oos"] = [
        Labelled(id=str(n), text=text, level=Level.NONE)
        for n, (text, _) in enumerate((*clinc["test"], *clinc["oos_test"]))
    ]
    names = {"0": "negative", "1": "positive"}
    with (data / "sst2" / "dev.tsv").open(encoding="utf-8") as file:
        sets["sst2 dev"] = [
            Labelled(id=str(n), text=text, sentiment=names[label])
            for n, (text, label) in enumerate(_tsv(file))
        ]
    for path in sorted(CORPUS.glob("test-*.jsonl")):
        sets[f"corpus {path.stem}"] = read_labelled(path, "level", {})
    return sets


def _others(meaning: str) -> dict[str, str]:
    names = ("anxiety_crisis", "substance_abuse_or_withdrawal", "violent_thoughts",
             "risk_taking_behaviours")  # fmt: skip
    return dict.fromkeys(names, meaning)


def _tsv(file: Any) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def lines(
    name: str, rows: list[Labelled], found: dict[str, list[Finding]]
) -> Iterator[tuple[str, list[str]]]:
    """The measures that a set allows, each for every detector."""

    def each(measure: Callable[[list[Finding]], object]) -> list[str]:
        return [str(measure(findings)) for findings in found.values()]

    def recall(said: Level, labelled: Level) -> list[str]:
        return each(
            lambda fs: share(
                f.level >= said for r, f in zip(rows, fs, strict=True) if r.least >= labelled
            )
        )

    def alarms(said: Level) -> list[str]:
        return each(
            lambda fs: share(
                f.level >= said for r, f in zip(rows, fs, strict=True) if r.level is Level.NONE
            )
        )

    levels = {row.level for row in rows if row.level is not None}
    for least in (Level.LOW, Level.MODERATE):
        if any(row.least >= Level.LOW for row in rows):
            labelled = Level.LOW if name == "ellis_crisis" else least
            yield f"recall at {least.value}+", recall(least, labelled)
        if Level.NONE in levels:
            yield f"false alarms at {least.value}+", alarms(least)
    if Level.HIGH in levels:
        yield "labelled high+, found at low+", recall(Level.LOW, Level.HIGH)
        top = Level.IMMINENT if Level.IMMINENT in levels else Level.HIGH
        yield "kappa", each(lambda fs: f"{kappa(rows, fs, top) or 0:.3f}")
    if any(row.conditions for row in rows):
        yield "conditions, micro F1", each(lambda fs: f"{micro_f1(rows, fs) or 0:.3f}")
    if any(row.sentiment for row in rows):
        yield (
            "sentiment right; neutral is wrong",
            each(
                lambda fs: share(f.sentiment == r.sentiment for r, f in zip(rows, fs, strict=True))
            ),
        )


if __name__ == "__main__":
    main()
