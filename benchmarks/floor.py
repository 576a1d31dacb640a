"""Measures the lexicon on public data, with Wilson intervals. It measures only: never tune to it.

Run `make bench-floor DATA=FOLDER`; the folder holds `ellis_crisis/`, `everyday_negatives/`,
`clinc150/` and `suicidewatch_cssrs/` as their publishers give them, one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sanad_core import Context, Conversation, Level, Turn
from sanad_core.assess import assessment_of, checked_signals
from sanad_core.specs import Setting
from sanad_core.testing import NOW
from sanad_core.types import Speaker
from sanad_lexicon.detector import Lexicon


def main() -> None:
    """Print recall and false alarms by set and level, and the time per message."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    folder: Path = parser.parse_args().data
    lexicon = Lexicon()
    lexicon.warm(Setting(locales=("en", "ar")))

    crisis = _lines(folder / "ellis_crisis" / "llm_labelled_dev.jsonl")
    danger = [r["text"] for r in crisis if r["label"] in ("suicidal_ideation", "self-harm")]
    _rate(lexicon, "ellis_crisis, suicidal or self-harm", danger, Level.LOW)
    _rate(lexicon, "ellis_crisis, suicidal or self-harm", danger, Level.MODERATE)

    calm = [r["text"] for r in _lines(folder / "everyday_negatives" / "dev.jsonl")]
    _rate(lexicon, "everyday_negatives, false alarms", calm, Level.MODERATE)
    _rate(lexicon, "everyday_negatives, false alarms", calm, Level.LOW)

    intents = json.loads((folder / "clinc150" / "data_full.json").read_text())
    asked = [text for text, _ in (*intents["test"], *intents["oos_test"])]
    _rate(lexicon, "CLINC150 test and out-of-scope, false alarms", asked, Level.MODERATE)
    _rate(lexicon, "CLINC150 test and out-of-scope, false alarms", asked, Level.LOW)

    posts = _lines(folder / "suicidewatch_cssrs" / "dev.jsonl")
    severe = [r["text"] for r in posts if int(r["severity_human"]) >= 4]
    _rate(lexicon, "suicidewatch_cssrs, severity 4 to 6", severe, Level.LOW)
    _times(lexicon, [*danger, *calm, *asked])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def level(lexicon: Lexicon, text: str) -> Level:
    """The highest level found for the person who writes."""
    turn = Turn(speaker=Speaker.PERSON, text=text, locale="en", at=NOW, message_id="1")
    found = lexicon.detect(turn, Context(turn=turn, conversation=Conversation(id="c")))
    return assessment_of(checked_signals(found, len(text), "lexicon")).risk.level


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95% Wilson interval of a share (Wilson 1927)."""
    z, share = 1.96, hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    spread /= 1 + z * z / total
    return middle - spread, middle + spread


def _rate(lexicon: Lexicon, name: str, texts: Iterable[str], least: Level) -> None:
    found = [level(lexicon, text) >= least for text in texts]
    low, high = wilson(sum(found), len(found))
    share = f"{sum(found)}/{len(found)} = {sum(found) / len(found):.3f}"
    print(f"{name:<48} at {least.value}+  {share:<20} [{low:.3f}, {high:.3f}]")


def _times(lexicon: Lexicon, texts: list[str]) -> None:
    for size in (300, 100_000):
        source = " ".join(texts)
        samples = [source[i : i + size] for i in range(0, len(source) - size, size)][:1000]
        took = []
        for sample in samples:
            began = time.perf_counter()
            level(lexicon, sample)
            took.append((time.perf_counter() - began) * 1000)
        ranked = (
            statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
        )
        print(f"{size} characters: p50 {ranked[49]:.2f} ms, p99 {ranked[98]:.2f} ms ({len(took)})")


if __name__ == "__main__":
    main()
