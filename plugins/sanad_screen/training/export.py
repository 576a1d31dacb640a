"""The trained network as int8 ONNX files: a trunk, and the two branches that share it."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from sanad_screen.labels import OUTPUTS
from sanad_screen.training.fused import fuse
from sanad_screen.training.int8 import quantise
from sanad_screen.training.network import Branch, Plain, Trunk

__all__ = ["FILES", "Given", "export", "quantised", "sampled"]

FILES = ("trunk.onnx", "screen.onnx", "embed.onnx")
OPSET = 17
SCALED = 500  # messages that scales are measured on

Given = Mapping[str, Tensor]
Item = TypeVar("Item")


def sampled(held: Sequence[Item]) -> Sequence[Item]:
    """At most SCALED of what was held out, from all over it, to measure scales on."""
    return held[:: -(-len(held) // SCALED)]


def export(trunk: Trunk, branch: Branch, plain: Plain, seen: Sequence[Given], folder: Path) -> None:
    """Write the network as int8 ONNX files.

    Weights are 8-bit integers with a scale per column; so are activations, with scales measured on
    `seen`. The operations of each layer are fused first, which is where most of the speed is from.
    Pools and heads are small and decide, so they stay in full precision.

    Args:
        trunk: the frozen layers.
        branch: the trained layers and heads.
        plain: the untrained layers that end in the sentence embedding.
        seen: some messages, one each: `ids`, `types` and `mask` of a single row.
        folder: where FILES are written.
    """
    heads = plain.heads
    with torch.inference_mode():
        between = [{"states": trunk(**one), "mask": one["mask"]} for one in seen]
    module = copy.deepcopy(trunk).eval()
    module.lower = fuse(module.lower)
    quantised(module, seen, ["states"], folder / FILES[0], heads)
    screening = _Screening(copy.deepcopy(branch).eval())
    quantised(screening, between, [*OUTPUTS, "evidence"], folder / FILES[1], heads)
    embedding = copy.deepcopy(plain).eval()
    embedding.upper = fuse(embedding.upper)
    quantised(embedding, between, ["embedding"], folder / FILES[2], heads)


class _Screening(nn.Module):
    """A branch whose outputs are a plain list, in the order of OUTPUTS, and the evidence."""

    def __init__(self, branch: Branch) -> None:
        super().__init__()
        self.branch = branch
        self.upper = fuse(branch.upper)

    def forward(self, states: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        hidden = self.upper(states, mask)
        logits = self.branch.logits(hidden, mask)
        return (*(logits[name] for name in OUTPUTS), self.branch.evidence(hidden, mask))


def quantised(
    module: nn.Module, seen: Sequence[Given], names: list[str], path: Path, heads: int
) -> None:
    """Write one module as an int8 ONNX file.

    Args:
        module: its layers in the form that `fuse` gives.
        seen: its inputs for some messages, one each, by name.
        names: of the outputs.
        path: the file.
        heads: attention heads.
    """
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
    logging.getLogger().addFilter(_no_advice)
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / "plain.onnx"
        # Two rows, so that nothing is taken to be a single one.
        two = {name: torch.cat((one, one)) for name, one in seen[0].items()}
        _written(module, two, names, plain)
        options = FusionOptions("bert")
        options.enable_embed_layer_norm = False  # it takes token numbers of another type
        optimised = optimize_model(
            str(plain),
            model_type="bert",
            num_heads=heads,
            hidden_size=0,
            optimization_options=options,
            opt_level=0,
        )
        arrays = [{name: tensor.numpy() for name, tensor in one.items()} for one in seen]
        quantise(optimised.model, arrays, path)
    logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: logging.LogRecord) -> bool:
    """The quantiser advises a step that knows none of the fused operations."""
    return "pre-process" not in record.getMessage()


def _written(module: nn.Module, given: dict[str, Tensor], names: list[str], path: Path) -> None:
    by_token = {*given, "evidence", "states", "tokens"}
    axes = {
        name: {0: "rows", 1: "tokens"} if name in by_token else {0: "rows"}
        for name in (*given, *names)
    }
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(given.values()),
            str(path),
            input_names=list(given),
            output_names=names,
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,  # the newer exporter knows no operation of another domain
        )
