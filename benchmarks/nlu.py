"""Measures intents by example on BANKING77 and CLINC150. Run `make bench-nlu DATA=FOLDER`."""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from sanad_core.cli.progress import progress
from sanad_intents.classifier import fit
from sanad_intents.examples import Examples
from sanad_intents.vectors import PACKAGED_NAME, open_vectors
from sanad_screen.evaluation.measure import share

Rows = list[tuple[str, str]]


def main() -> None:
    """Print accuracy, out-of-scope AUROC and how long fitting takes, embedding included."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data: Path = parser.parse_args().data
    train, test = (_csv(data / "banking77" / f"{name}.csv") for name in ("train", "test"))
    _measure("BANKING77", train, test, [])
    clinc = json.loads((data / "clinc150" / "data_full.json").read_text())
    _measure("CLINC150", _pairs(clinc["train"]), _pairs(clinc["test"]), _pairs(clinc["oos_test"]))


def _csv(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["text"], list(row.values())[1]) for row in csv.DictReader(file)]


def _pairs(rows: list[Any]) -> Rows:
    return [(text, label) for text, label in rows]


def _measure(name: str, train: Rows, test: Rows, outside: Rows) -> None:
    vectors = open_vectors(PACKAGED_NAME, Path())
    vectors.load()
    with progress(name, len(train) + len(test) + len(outside)) as told:
        began = time.perf_counter()
        embedded = vectors.of([text for text, _ in train], told)
        took = time.perf_counter() - began
        began = time.perf_counter()
        examples = Examples(rows=tuple(train), digest="")
        classifier = fit(examples, embedded, PACKAGED_NAME, folds=0)
        fitting = time.perf_counter() - began
        scores = classifier.scores(vectors.of([text for text, _ in test], told))
        names = np.array(classifier.intents)
        right = share(names[scores.argmax(1)] == np.array([label for _, label in test]))
        print(f"{name}: accuracy {right}; embedding {took:.1f} s, fitting {fitting:.1f} s")
        if outside:
            other = classifier.scores(vectors.of([text for text, _ in outside], told))
            truth = [1] * len(test) + [0] * len(outside)
            tops = np.concatenate((scores.max(1), other.max(1)))
            print(f"{name}: out of scope, AUROC {roc_auc_score(truth, tops):.4f}")


if __name__ == "__main__":
    main()
