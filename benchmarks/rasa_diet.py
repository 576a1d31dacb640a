"""Measures Rasa's DIET, default pipeline, on the same split as `nlu.py`; it takes about an hour.

Rasa needs Python 3.10 and an environment of its own:

    python3.10 -m venv rasa && rasa/bin/pip install rasa==3.6.21
    rasa/bin/python benchmarks/rasa_diet.py FOLDER      # the folder that holds banking77/
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import tempfile
import time
from pathlib import Path

PIPELINE = """\
language: en
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: 100
  constrain_similarities: true
"""


def main() -> None:
    """Train, and print the accuracy on the test part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data.resolve() / "banking77"
    train, test = (read(data / f"{name}.csv") for name in ("train", "test"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.chdir(home)  # Rasa keeps a cache in the folder it runs in
        (home / "config.yml").write_text(PIPELINE)
        (home / "nlu.yml").write_text(as_nlu(train))
        from rasa.core.agent import Agent
        from rasa.model_training import train_nlu

        began = time.perf_counter()
        model = train_nlu(str(home / "config.yml"), str(home / "nlu.yml"), str(home / "models"))
        print(f"trained in {(time.perf_counter() - began) / 60:.1f} min")
        agent = Agent.load(model)
        right = asyncio.run(count(agent, test))
    print(f"accuracy {right}/{len(test)} = {right / len(test):.4f}")


def read(path: Path) -> list[tuple[str, str]]:
    """Texts and labels."""
    with path.open(encoding="utf-8", newline="") as file:
        return [(" ".join(r["text"].split()), list(r.values())[1]) for r in csv.DictReader(file)]


def as_nlu(rows: list[tuple[str, str]]) -> str:
    """The rows as Rasa's nlu.yml."""
    lines = ['version: "3.1"', "nlu:"]
    for intent in sorted({label for _, label in rows}):
        lines += [f"- intent: {intent}", "  examples: |"]
        lines += [f"    - {text}" for text, label in rows if label == intent]
    return "\n".join(lines) + "\n"


async def count(agent, rows: list[tuple[str, str]]) -> int:  # type: ignore[no-untyped-def]
    """How many rows get the right intent."""
    right = 0
    for text, label in rows:
        parsed = await agent.parse_message(text)
        right += parsed["intent"]["name"] == label
    return right


if __name__ == "__main__":
    main()
