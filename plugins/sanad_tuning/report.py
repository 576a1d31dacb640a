"""What a run leaves for people: a plot of the loss, and a model card with its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sanad_data.talks import written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["write_report"]

LIMITS = """\
## Limits

- It is not a clinician, and nobody in danger may be left to it. Serve it behind a Sanad policy: at
  risk, scripted texts answer, and a guard checks every reply.
- It learned from the data named above, with what that data lacks and gets wrong. No professional
  has reviewed its replies unless this card says so.
- Measure it before people meet it: `sanad eval responder`.
"""


def write_report(
    folder: Path, settings: dict[str, Any], found: dict[str, Any], counts: Sequence[str]
) -> None:
    """Write `loss.svg` and `README.md`.

    Args:
        folder: of the run.
        settings: what was asked.
        found: losses before and after, steps, minutes, and the trainer's history.
        counts: lines on the examples of each side, and how they came to fit.
    """
    _plot(folder / "loss.svg", found["history"])
    sides = "\n".join(f"- {line}" for line in counts)
    rows = "\n".join(f"| {key} | {value} |" for key, value in settings.items())
    text = (
        f"# A responder tuned from {settings['model_name']}\n\n"
        f"Held-out loss: {found['before']:.3f} before, {found['after']:.3f} after "
        f"{found['steps']} steps ({found['minutes']} minutes).\n\n![loss](loss.svg)\n\n"
        f"{sides}\n\n"
        f"| setting | value |\n|---|---|\n{rows}\n\n{LIMITS}"
    )
    with written(folder / "README.md") as file:
        file.write(text)


def _plot(path: Path, history: list[dict[str, Any]]) -> None:
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for key, name in (("loss", "training"), ("eval_loss", "held out")):
        points = [(row["step"], row[key]) for row in history if key in row and "step" in row]
        if points:
            axes.plot(*zip(*points, strict=True), label=name, marker="o", markersize=3)
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    with written(path) as file:
        figure.savefig(file, format="svg")
    pyplot.close(figure)
