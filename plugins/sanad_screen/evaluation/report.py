"""An evaluation as Markdown, JSON and an HTML page with plots; message text is in none of them."""

from __future__ import annotations

import html
import io
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanad_core.risk import Level
from sanad_screen.evaluation.measure import (
    LEVELS,
    RATES,
    at_false_positives,
    calibration,
    confusion,
    kappa,
    micro_f1,
    share,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sanad_screen.evaluation.labelled import Labelled
    from sanad_screen.evaluation.measure import Finding, Share

__all__ = ["Evaluation", "as_html", "as_json", "as_markdown"]

FEWEST = 10  # rows of a slice before it is reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One detector on one file.

    Args:
        detector: its name.
        versions: of what it runs.
        file: the file's name.
        rows: the labelled messages.
        found: what was found, in their order.
        mutated: the same for each mutation of the messages.
        misses: how many missed rows to list.
    """

    detector: str
    versions: tuple[str, ...]
    file: str
    rows: tuple[Labelled, ...]
    found: tuple[Finding, ...]
    mutated: dict[str, tuple[Finding, ...]] = field(default_factory=dict)
    misses: int = 50

    @property
    def pairs(self) -> list[tuple[Labelled, Finding]]:
        """Each row with what was found in it."""
        return list(zip(self.rows, self.found, strict=True))


def _recall(pairs: Sequence[tuple[Labelled, Finding]], least: Level) -> Share:
    return share(f.level >= least for r, f in pairs if r.least >= least)


def _alarms(pairs: Sequence[tuple[Labelled, Finding]], least: Level) -> Share:
    return share(f.level >= least for r, f in pairs if r.level is Level.NONE)


def _groups(pairs: list[tuple[Labelled, Finding]]) -> Iterator[tuple[str, list[Any]]]:
    """Rows by level, kind, subject and slice, the large enough ones."""
    names: dict[str, list[tuple[Labelled, Finding]]] = {}
    for row, finding in pairs:
        about = [f"level {(row.level or row.least).value}"]
        about += [f"kind {row.kind.value}"] if row.kind is not None else []
        about += [f"subject {row.subject.value}"] if row.subject is not None else []
        for name in (*about, *(f"slice {name}" for name in row.slices)):
            names.setdefault(name, []).append((row, finding))
    for name in sorted(names):
        if len(names[name]) >= FEWEST:
            yield name, names[name]


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Every figure of an evaluation."""
    pairs = evaluation.pairs
    took = sorted(f.milliseconds for _, f in pairs)
    ranked = statistics.quantiles(took, n=100, method="inclusive") if len(took) > 1 else took * 99
    known = max((r.level.rank for r, _ in pairs if r.level is not None), default=0)
    # A file whose severities end at `high` cannot tell high from imminent.
    top = Level.HIGH if known == Level.HIGH.rank else Level.IMMINENT
    return {
        "detector": evaluation.detector,
        "versions": list(evaluation.versions),
        "file": evaluation.file,
        "rows": len(pairs),
        "failed": sum(f.failed for _, f in pairs),
        "recall": {level.value: _data(_recall(pairs, level)) for level in LEVELS[1:]},
        "false_alarms": {level.value: _data(_alarms(pairs, level)) for level in LEVELS[1:3]},
        "at_false_positives": {
            f"{rate:.0%}": _data(
                at_false_positives(evaluation.rows, evaluation.found, Level.LOW, rate)[0]
            )
            for rate in (RATES if any(r.level is Level.NONE for r, _ in pairs) else ())
        },
        "kappa": kappa(evaluation.rows, evaluation.found, top),
        "confusion": confusion(evaluation.rows, evaluation.found),
        "calibration": calibration(evaluation.rows, evaluation.found),
        "condition_micro_f1": micro_f1(evaluation.rows, evaluation.found),
        "sentiment": _data(
            share(f.sentiment == r.sentiment for r, f in pairs if r.sentiment is not None)
        ),
        "slices": {
            name: {
                "recall_low": _data(_recall(group, Level.LOW)),
                "false_alarms_low": _data(_alarms(group, Level.LOW)),
            }
            for name, group in _groups(pairs)
        },
        "robustness": {
            name: {
                "recall_low": _data(_recall(_with(evaluation, found), Level.LOW)),
                "false_alarms_low": _data(_alarms(_with(evaluation, found), Level.LOW)),
            }
            for name, found in evaluation.mutated.items()
        },
        "milliseconds": {"p50": ranked[49], "p95": ranked[94], "p99": ranked[98]},
        "missed": [r.id for r, f in pairs if f.level < r.least][: evaluation.misses],
        "alarmed": [r.id for r, f in pairs if r.level is Level.NONE and f.level > Level.NONE][
            : evaluation.misses
        ],
    }


def _with(evaluation: Evaluation, found: Sequence[Finding]) -> list[tuple[Labelled, Finding]]:
    return list(zip(evaluation.rows, found, strict=True))


def _data(found: Share) -> dict[str, Any]:
    return {
        "hits": found.hits,
        "total": found.total,
        "share": found.value,
        "low": found.low,
        "high": found.high,
    }


def _shown(data: dict[str, Any]) -> str:
    if not data["total"]:
        return "–"
    return (
        f"{data['hits']}/{data['total']} = {data['share']:.3f} "
        f"[{data['low']:.3f}, {data['high']:.3f}]"
    )


def as_markdown(evaluations: Sequence[Evaluation]) -> str:
    """All evaluations, one under the other; intervals are 95% Wilson intervals."""
    return "\n".join(line for e in evaluations for line in _lines(as_json(e)))


def _lines(data: dict[str, Any]) -> Iterator[str]:
    yield f"## {data['detector']} on {data['file']} ({data['rows']} rows)"
    yield ""
    yield "| | at low+ | at moderate+ | at high+ | at imminent |"
    yield "|---|---|---|---|---|"
    yield f"| recall | {' | '.join(_shown(value) for value in data['recall'].values())} |"
    yield f"| false alarms | {' | '.join(_shown(v) for v in data['false_alarms'].values())} | | |"
    yield ""
    for rate, value in data["at_false_positives"].items():
        if value["total"] and data["false_alarms"]["low"]["total"]:
            yield f"- recall at low+ where {rate} of the calm rows are reported: {_shown(value)}"
    if data["kappa"] is not None:
        yield f"- quadratic kappa of the level: {data['kappa']:.3f}"
    if data["condition_micro_f1"] is not None:
        yield f"- conditions, micro F1: {data['condition_micro_f1']:.3f}"
    if data["sentiment"]["total"]:
        yield f"- sentiment right: {_shown(data['sentiment'])}"
    took = data["milliseconds"]
    yield f"- ms a message: p50 {took['p50']:.1f}, p95 {took['p95']:.1f}, p99 {took['p99']:.1f}"
    yield f"- steps that failed: {data['failed']} rows"
    yield from _tables(data)
    yield ""


def _tables(data: dict[str, Any]) -> Iterator[str]:
    names = [level.value for level in LEVELS]
    yield from ("", f"| labelled \\ found | {' | '.join(names)} |", "|---|---|---|---|---|---|")
    for name, counts in zip(names, data["confusion"], strict=True):
        yield f"| {name} | {' | '.join(map(str, counts))} |"
    for title in ("slices", "robustness"):
        if not data[title]:
            continue
        yield from ("", f"| {title} | recall at low+ | false alarms at low+ |", "|---|---|---|")
        for name, value in data[title].items():
            recall, alarms = _shown(value["recall_low"]), _shown(value["false_alarms_low"])
            yield f"| {name} | {recall} | {alarms} |"
    for title in ("missed", "alarmed"):
        if data[title]:
            yield from ("", f"{title}: {', '.join(data[title])}")


def as_html(evaluations: Sequence[Evaluation]) -> str:
    """One page with the same figures and plots, no script and nothing from outside."""
    parts = []
    for evaluation in evaluations:
        data = as_json(evaluation)
        title = f"{data['detector']} on {data['file']}"
        parts.append(f"<h2>{html.escape(title)}</h2>{_plots(evaluation, data)}")
        parts.append(f"<pre>{html.escape(chr(10).join(_lines(data)))}</pre>")
    return (
        "<!doctype html><meta charset='utf-8'><title>Screening</title>"
        "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}"
        "pre{overflow:auto;background:#f6f6f6;padding:1em}</style>"
        f"<h1>Screening</h1>{''.join(parts)}\n"
    )


def _plots(evaluation: Evaluation, data: dict[str, Any]) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    calm = [f.score for r, f in evaluation.pairs if r.level is Level.NONE]
    risky = [f.score for r, f in evaluation.pairs if r.least > Level.NONE]
    if calm and risky:
        bars = sorted({*calm, *risky}, reverse=True)
        false = [sum(s >= bar for s in calm) / len(calm) for bar in bars]
        true = [sum(s >= bar for s in risky) / len(risky) for bar in bars]
        left.plot(false, true)
    left.set(xlabel="false alarms", ylabel="recall", title="low+", xlim=(0, 0.3), ylim=(0, 1))
    middle.imshow(data["confusion"], cmap="Blues")
    for row, counts in enumerate(data["confusion"]):
        for column, count in enumerate(counts):
            middle.text(column, row, count, ha="center", va="center", fontsize=7)
    middle.set(xlabel="found", ylabel="labelled", title="levels")
    stated = [(p, t) for p, t, _ in data["calibration"]]
    right.plot([p for p, _ in stated], [t for _, t in stated], marker="o")
    right.plot([0, 1], [0, 1], linestyle=":", color="grey")
    right.set(xlabel="stated probability", ylabel="share at risk", title="calibration")
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    return svg[svg.index("<svg") :]
