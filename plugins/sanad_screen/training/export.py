"""The trained network as int8 ONNX files: a trunk, and the two branches that share it."""

from __future__ import annotations

import copy
import logging
import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from sanad_screen.labels import OUTPUTS
from sanad_screen.training.fused import fuse
from sanad_screen.training.network import Branch, Plain, Trunk

__all__ = ["FILES", "export", "quantised"]

FILES = ("trunk.onnx", "screen.onnx", "embed.onnx")
OPSET = 17


def export(trunk: Trunk, branch: Branch, plain: Plain, folder: Path) -> None:
    """Write the network as int8 ONNX files.

    Weights are 8-bit integers with a scale per column; activations are scaled as they come. The
    operations of each layer are fused first, which is where most of the speed is from. Pools and
    heads are small and decide, so they stay in full precision.

    Args:
        trunk: the frozen layers.
        branch: the trained layers and heads.
        plain: the untrained layers that end in the sentence embedding.
        folder: where FILES are written.
    """
    ids = torch.ones((2, 8), dtype=torch.int64)
    given = {"ids": ids, "types": torch.zeros_like(ids), "mask": torch.ones_like(ids)}
    heads = plain.heads
    module = copy.deepcopy(trunk).eval()
    module.lower = fuse(module.lower)
    quantised(module, given, ["states"], folder / FILES[0], heads)
    between = {"states": trunk(ids, given["types"], given["mask"]), "mask": given["mask"]}
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
    module: nn.Module, given: dict[str, Tensor], names: list[str], path: Path, heads: int
) -> None:
    """Write one module as an int8 ONNX file.

    Args:
        module: its layers in the form that `fuse` gives.
        given: an example of each input, by name.
        names: of the outputs.
        path: the file.
        heads: attention heads.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.fusion_options import FusionOptions
    from onnxruntime.transformers.optimizer import optimize_model

    logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
    logging.getLogger().addFilter(_no_advice)
    with tempfile.TemporaryDirectory() as temporary:
        plain, fused = Path(temporary) / "plain.onnx", Path(temporary) / "fused.onnx"
        _written(module, given, names, plain)
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
        optimised.save_model_to_file(str(fused))
        large = [
            node.name
            for node in optimised.model.graph.node
            if node.op_type in ("Attention", "Gather")
            or (node.op_type == "MatMul" and "/layers." in node.name)
        ]
        quantize_dynamic(
            fused,
            path,
            per_channel=True,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=large,
            extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1},  # float
        )
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
