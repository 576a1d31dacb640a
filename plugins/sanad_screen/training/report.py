"""What is written about a run: settings, losses, held-out figures; Markdown, JSON and a plot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sanad_core.risk import Level
from sanad_screen.model import Card, at_least
from sanad_screen.rows import Row
from sanad_screen.training.calibrate import ranks_of
from sanad_screen.training.fit import Fitted

__all__ = ["write_report"]


def write_report(
    out: Path,
    settings: dict[str, Any],
    fitted: Fitted,
    dev: Sequence[Row],
    logits: dict[str, Any],
    card: Card,
    agreement: float,
    minutes: float,
) -> str:
    """Write report.json, report.md and losses.svg of a run.

    Returns:
        The lines to show at the end.
    """
    ranks = ranks_of(dev)
    chances = at_least(logits["level"], card.temperature)
    points = {
        name: {
            "thresholds": point.ranked,
            "recall_low": _share(chances[ranks >= Level.LOW.rank, 0] >= point.low),
            "recall_moderate": _share(
                np.all(chances[ranks >= Level.MODERATE.rank, :2] >= point.ranked[:2], axis=1)
            ),
            "hard_calm_at_low": _share(chances[ranks == 0, 0] >= point.low),
        }
        for name, point in card.points.items()
    }
    data = {
        "settings": settings,
        "minutes": round(minutes, 1),
        "held_out_rows": len(dev),
        "best_epoch": fitted.best + 1,
        "losses": fitted.losses,
        "points": points,
        "int8_agreement": agreement,
        "data": card.data,
    }
    (out / "report.json").write_text(json.dumps(data, indent=1, default=str) + "\n")
    (out / "report.md").write_text(_markdown(data), encoding="utf-8")
    _plot(fitted, out / "losses.svg")
    default = points["default"]
    return (
        f"trained in {minutes:.0f} min; best of {len(fitted.losses)} epochs: {fitted.best + 1}\n"
        f"held-out rows of the same hands: recall at low {default['recall_low']:.3f}, at moderate "
        f"{default['recall_moderate']:.3f}, hard calm messages reported "
        f"{default['hard_calm_at_low']:.3f}; int8 agrees on {agreement:.1%}\n"
        f"model: {out / 'model'}; report: {out / 'report.md'}. Measure it on messages of other "
        "people: sanad eval screen FILE"
    )


def _share(found: Any) -> float:
    return round(float(np.mean(found)), 4) if len(found) else 0.0


def _markdown(data: dict[str, Any]) -> str:
    lines = [
        "# Training run",
        "",
        f"{data['minutes']} minutes, best epoch {data['best_epoch']} of {len(data['losses'])}; "
        f"{data['held_out_rows']} held-out rows by the same hands; the int8 model puts "
        f"{data['int8_agreement']:.1%} of them on the same level as the full one.",
        "",
        "| point | thresholds | recall at low+ | at moderate+ | hard calm messages at low+ |",
        "|---|---|---|---|---|",
    ]
    for name, point in data["points"].items():
        bars = ", ".join(f"{bar:.2f}" for bar in point["thresholds"])
        lines.append(
            f"| {name} | {bars} | {point['recall_low']:.3f} | {point['recall_moderate']:.3f} | "
            f"{point['hard_calm_at_low']:.3f} |"
        )
    lines += ["", "![losses](losses.svg)", "", "## Settings", ""]
    lines += [f"- {name}: {value}" for name, value in data["settings"].items()]
    return "\n".join(lines) + "\n"


def _plot(fitted: Fitted, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    epochs = range(1, len(fitted.losses) + 1)
    for name in fitted.losses[0]:
        axes.plot(epochs, [losses[name] for losses in fitted.losses], marker="o", label=name)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend(fontsize=7, ncols=2)
    figure.savefig(path, metadata={"Date": None})
