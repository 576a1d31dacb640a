"""An evaluation as JSON, Markdown and one HTML page, and what got worse since a baseline."""

from __future__ import annotations

import html
import json
from typing import TYPE_CHECKING, Any

from sanad_data.talks import written
from sanad_tuning.evaluation.scenarios import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sanad_tuning.evaluation.run import Figures, Rated

__all__ = ["compared", "failures", "markdown", "write_report"]

LOWER = ("perplexity", "blocked", "repeats", "failed")  # better where they are lower
SLACK = {"perplexity": 0.5, "blocked": 0.02, "repeats": 0.05, "failed": 0.0}
DROP = 0.05  # a dimension that falls by more than this is a regression


def write_report(folder: Path, found: Sequence[Figures]) -> None:
    """Write `report.json`, `report.md` and `report.html`."""
    data = {figures.name: figures.plain() for figures in found}
    replies = {figures.name: [_reply(rated) for rated in figures.rated] for figures in found}
    whole = json.dumps({"figures": data, "replies": replies}, indent=1, ensure_ascii=False)
    _write(folder / "report.json", f"{whole}\n")
    _write(folder / "report.md", markdown(found))
    _write(folder / "report.html", _page(found))


def _write(path: Path, text: str) -> None:
    with written(path) as file:
        file.write(text)


def _reply(rated: Rated) -> dict[str, Any]:
    failed = {"failed": rated.failed} if rated.failed else {}
    return {"scenario": rated.scenario, "reply": rated.reply, "rules": rated.rules, **failed}


def markdown(found: Sequence[Figures]) -> str:
    """The figures side by side, and the replies to the scenarios."""
    names = [figures.name for figures in found]
    failed = failures(found)
    lines = [
        "# How responders answer\n",
        "Rated by rules and the reply guard; no professional has read these replies.\n",
        *([f"**Failed: {failed}.**\n"] if failed else []),
        f"| | {' | '.join(names)} |",
        f"|---|{'---|' * len(names)}",
        *(f"| {key} | {' | '.join(values)} |" for key, values in _rows(found)),
        "",
    ]
    for place, first in enumerate(found[0].rated):
        lines.append(f"\n## {first.scenario} ({first.level})\n")
        for figures in found:
            rated = figures.rated[place]
            rules = f" — **{', '.join(rated.rules)}**" if rated.rules else ""
            reply = f"*no reply ({rated.failed})*" if rated.failed else rated.reply
            lines.append(f"- {figures.name}{rules}: {reply}")
    return "\n".join(lines) + "\n"


def failures(found: Sequence[Figures]) -> str:
    """Who failed to answer, and how often, in one line; empty: nobody."""
    counts = [f"{f.name} {f.failed} of {f.asked} times" for f in found if f.failed]
    return f"{', '.join(counts)}; these are left out of every mean" if counts else ""


def _rows(found: Sequence[Figures]) -> list[tuple[str, list[str]]]:
    plain = [figures.plain() for figures in found]
    every = dict.fromkeys(key for data in plain for key in data)  # without replies: no quality
    keys = [key for key in every if key not in ("dimensions", "judged")]
    rows = [(key, [_shown(data.get(key)) for data in plain]) for key in keys]
    for name in DIMENSIONS:
        rows.append((name, [_shown(data["dimensions"][name]) for data in plain]))
        if any(name in data["judged"] for data in plain):
            judged = [_shown(data["judged"].get(name)) for data in plain]
            rows.append((f"{name}, by the judge", judged))
    return rows


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _page(found: Sequence[Figures]) -> str:
    head = "".join(f"<th>{html.escape(figures.name)}" for figures in found)
    rows = "".join(
        f"<tr><th>{html.escape(key)}" + "".join(f"<td>{html.escape(value)}" for value in values)
        for key, values in _rows(found)
    )
    return (
        "<!doctype html><meta charset=utf-8><title>How responders answer</title>"
        "<style>body{font:16px sans-serif;max-width:60em;margin:2em auto}"
        "th,td{padding:.3em .8em;text-align:left}svg{max-width:100%}</style>"
        f"<h1>How responders answer</h1>{_warning(found)}{_plot(found)}"
        f"<table><tr><th>{head}{rows}</table>"
    )


def _warning(found: Sequence[Figures]) -> str:
    failed = failures(found)
    return f"<p><b>Failed: {html.escape(failed)}.</b>" if failed else ""


def _plot(found: Sequence[Figures]) -> str:
    """The five dimensions as bars, as SVG."""
    import io

    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4))
    width = 0.8 / len(found)
    for place, figures in enumerate(found):
        heights = [figures.dimension(name) or 0.0 for name in DIMENSIONS]
        spots = [at + place * width for at in range(len(DIMENSIONS))]
        axes.bar(spots, heights, width, label=figures.name)
    axes.set_xticks([at + 0.4 - width / 2 for at in range(len(DIMENSIONS))], DIMENSIONS)
    axes.set_ylim(0, 1)
    axes.legend()
    written = io.StringIO()
    figure.savefig(written, format="svg")
    pyplot.close(figure)
    text = written.getvalue()
    return text[text.index("<svg") :]


def compared(
    found: Sequence[Figures], baseline: dict[str, dict[str, Any]]
) -> tuple[list[str], list[str]]:
    """What is worse than in a report of before, and what is only new; one line each.

    Args:
        found: now.
        baseline: the `figures` of an earlier `report.json`.
    """
    names = [figures.name for figures in found]
    missing = [f"{n}: is in the baseline and missing now" for n in baseline if n not in names]
    worse = [
        line
        for figures in found
        if figures.name in baseline
        for line in _regressions(figures, baseline[figures.name])
    ]
    new = [f"{name}: is not in the baseline" for name in names if name not in baseline]
    return [*missing, *worse], new


def _regressions(figures: Figures, before: dict[str, Any]) -> list[str]:
    now, worse = figures.plain(), []
    for key in LOWER:
        value, then = now.get(key), before.get(key)
        if value is not None and then is not None and value > then + SLACK[key]:
            worse.append(f"{figures.name}: {key} {then:.2f} → {value:.2f}")
    for name in DIMENSIONS:
        value, then = figures.dimension(name), before.get("dimensions", {}).get(name)
        if then is not None and value is not None and value < then - DROP:
            worse.append(f"{figures.name}: {name} {then:.2f} → {value:.2f}")
    return worse
