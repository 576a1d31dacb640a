"""Any text classifier of transformers as a detector, its labels mapped in the policy."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from sanad_core import hookimpl
from sanad_core.risk import RiskKind
from sanad_core.schema import Options, Strict
from sanad_core.specs import DetectorSpec

__all__ = ["ClassifierOptions", "Meaning", "sanad_detectors"]

Kinds = Literal["risk", "condition", "sentiment", "emotion", "intent", "topic"]


class Meaning(Strict):
    """What one label of the model stands for."""

    label: str = Field(description="as the model's config calls it")
    kind: Kinds = Field(description="the kind of signal")
    to: str = Field(
        min_length=1, description="the signal's label; for risk, a kind such as suicide, or none"
    )
    level: Literal["low", "moderate", "high", "imminent"] | None = Field(
        None, description="for risk: how severe"
    )
    subject: Literal["self", "other"] = Field("self", description="for risk: who is in danger")
    at_least: float = Field(0.5, ge=0, le=1, description="the probability it needs")

    @model_validator(mode="after")
    def _risk(self) -> Meaning:
        if self.kind != "risk":
            if self.level is not None or self.to == "none":
                raise ValueError("only a risk has a 'level', and only a risk is 'none'")
            return self
        kinds = ("none", *RiskKind)
        if self.to not in kinds:
            raise ValueError(f"a risk's 'to' is one of {', '.join(kinds)}, not '{self.to}'")
        if (self.level is None) != (self.to == "none"):
            raise ValueError("a risk needs a 'level', and only 'none' has none")
        return self


class ClassifierOptions(Options):
    """Options of the classifier."""

    model: str = Field(description="a folder relative to the policy, or a hub id")
    labels: list[Meaning] = Field(
        min_length=1, description="what each label stands for; others are left out"
    )
    multi_label: bool = Field(
        False, description="labels do not exclude each other: one probability for each"
    )


def _make(options: Any) -> object:
    from sanad_classifier.detector import Classifier

    return Classifier(options)


@hookimpl
def sanad_detectors() -> tuple[DetectorSpec, ...]:
    """The classifier."""
    return (
        DetectorSpec(
            name="classifier",
            make=_make,
            options=ClassifierOptions,
            writes=("condition", "sentiment", "emotion", "intent", "topic"),
            in_process=True,
            extra="models",
            summary="any text-classification checkpoint: MentalBERT, PsychBERT, DistilBERT, …",
        ),
    )
