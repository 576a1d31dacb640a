"""A network's graph as 8-bit integers, whose scales are measured once: no message moves another's.

Scales that are found anew for each batch (what ONNX Runtime calls dynamic) make a message's scores
hang on who is read beside it, by up to three units in a logit. Here they are measured on messages
when the file is written. Some channels are far larger than all others (in BERT those of the first
token): they are made smaller before they are rounded, and their weights larger by as much, or the
others would share a few steps between them. Source: Xiao et al., SmoothQuant, ICML 2023.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["EASED", "quantise"]

EASED = "_eased"  # how the name of what large channels are multiplied by ends
LARGE = 0.98  # channels above this quantile of all channels' peaks are made smaller
_STEPS = 255
_MICROSOFT = "com.microsoft"


def quantise(model: Any, seen: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a graph as int8: its attention, its layers' matrices and its tables.

    Args:
        model: an ONNX model with the runtime's fused operations; it is changed.
        seen: inputs of some messages, one message each, by name; scales are measured on them.
        path: the file.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    large = [node for node in model.graph.node if _is_large(node)]
    peaks = _peaks(model, sorted({node.input[0] for node in large}), seen)
    spans = _ease(model.graph, large, peaks)
    tables = [node.name for node in model.graph.node if node.op_type == "Gather"]
    quantize_dynamic(
        model,
        path,
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_quantize=[*tables, *(node.name for node in large)],
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": 1},  # float
    )
    whole = onnx.load(str(path))
    _fix(whole.graph, spans)
    onnx.save(whole, str(path))


def _is_large(node: Any) -> bool:
    """Pools and heads are small and decide, so they stay in full precision."""
    return node.op_type == "Attention" or (node.op_type == "MatMul" and "/layers." in node.name)


def _peaks(
    model: Any, names: Sequence[str], seen: Sequence[Mapping[str, Any]]
) -> dict[str, tuple[Any, Any]]:
    """The lowest and the highest value of each channel of these tensors."""
    import onnx
    import onnxruntime

    told = onnx.ModelProto()
    told.CopyFrom(model)
    given = {item.name for item in model.graph.input}
    told.graph.output.extend(
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names
        if name not in given
    )
    session = onnxruntime.InferenceSession(
        told.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    outputs = [output.name for output in session.get_outputs()]
    found: dict[str, tuple[Any, Any]] = {}
    for message in seen:
        values = {**message, **dict(zip(outputs, session.run(None, dict(message)), strict=True))}
        for name in names:
            channels = values[name].reshape(-1, values[name].shape[-1])
            low, high = channels.min(0), channels.max(0)
            before = found.get(name, (low, high))
            found[name] = np.minimum(before[0], low), np.maximum(before[1], high)
    return found


def _ease(
    graph: Any, large: Sequence[Any], peaks: Mapping[str, tuple[Any, Any]]
) -> dict[str, tuple[float, float]]:
    """Make large channels smaller and their weights larger; the span of what is to be rounded."""
    from onnx import helper, numpy_helper

    weights = {item.name: item for item in graph.initializer}
    spans = {}
    for node in large:
        name, matrix = node.input[0], weights[node.input[1]]
        low, high = peaks[name]
        most = np.maximum(np.abs(low), np.abs(high))
        times = np.maximum(1.0, most / np.quantile(most, LARGE)).astype(np.float32)
        grown = numpy_helper.to_array(matrix) * times[:, None]
        matrix.CopyFrom(numpy_helper.from_array(grown, matrix.name))
        eased, by = f"{name}/eased", f"{name}{EASED}"
        if eased not in spans:
            graph.initializer.append(numpy_helper.from_array(1 / times, by))
            at = list(graph.node).index(node)
            graph.node.insert(at, helper.make_node("Mul", [name, by], [eased], eased))
            spans[eased] = min(0.0, float((low / times).min())), float((high / times).max())
        node.input[0] = eased
    return spans


def _fix(graph: Any, spans: Mapping[str, tuple[float, float]]) -> None:
    """Give each rounding the scale that was measured, in place of one found anew each time."""
    from onnx import helper, numpy_helper

    used = {name: node for node in graph.node for name in node.input}
    made = {name: node for node in graph.node for name in node.output}
    gone: set[str] = set()

    def fixed(node: Any) -> Iterator[Any]:
        if node.op_type == "DynamicQuantizeLinear":
            rounded, *names = node.output
            grid = _grid(*spans[node.input[0]])
            graph.initializer.extend(map(numpy_helper.from_array, grid, names))
            yield helper.make_node("QuantizeLinear", [node.input[0], *names], [rounded], node.name)
        elif node.op_type == "MatMulInteger":
            # With it stand a cast, the product of both scales, and one by that product.
            cast = used[node.output[0]]
            last = used[cast.output[0]]
            scales = made[next(name for name in last.input if name != cast.output[0])]
            gone.update(other.name for other in (cast, last, scales))
            values, matrix, *zeros = node.input
            given = [values, matrix, *scales.input, *zeros]
            yield helper.make_node(
                "MatMulIntegerToFloat", given, list(last.output), node.name, domain=_MICROSOFT
            )
        else:
            yield node

    nodes = [new for node in graph.node for new in fixed(node)]
    del graph.node[:]
    graph.node.extend(node for node in nodes if node.name not in gone)


def _grid(low: float, high: float) -> tuple[Any, Any]:
    """Scale and zero point of a span, as unsigned 8-bit integers."""
    scale = (high - low) / _STEPS
    return np.array(scale, np.float32), np.array(round(-low / scale), np.uint8)
