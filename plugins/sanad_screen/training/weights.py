"""A branch's weights: kept in full precision, read back from there or from an int8 model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sanad_core.errors import UsageError
from sanad_screen.encoder import SCREEN
from sanad_screen.model import PACKAGED
from sanad_screen.training.int8 import EASED
from sanad_screen.training.network import Branch

__all__ = ["WEIGHTS", "go_on", "keep", "restored"]

WEIGHTS = "branch.safetensors"
OURS = "packaged"  # what the packaged model is called in place of a folder
# The matrices of a layer after its attention, by where the exporter puts them.
_DENSE = {
    "dense": "attention.output.dense",
    "dense_1": "intermediate.dense",
    "dense_2": "output.dense",
}
_ATTENTION = ("query", "key", "value")


def keep(branch: Branch, path: Path) -> None:
    """Write a branch's weights; the file is there whole or not at all."""
    from safetensors.torch import save_file

    temporary = path.with_suffix(".part")
    save_file(branch.state_dict(), temporary)
    temporary.replace(path)


def go_on(branch: Branch, run: Path) -> None:
    """Give a branch the weights that an earlier run ended with.

    Args:
        branch: takes them.
        run: a run's folder, or that of a model without the run it came from, whose weights are
            then as exact as int8 is; `packaged`: Sanad's own model.

    Raises:
        UsageError: there are none, or they are of another shape.
    """
    from safetensors.torch import load_file

    folder = PACKAGED if str(run) == OURS and not run.exists() else run
    try:
        alone = (folder / SCREEN).exists() and not (folder / WEIGHTS).exists()
        weights = restored(folder / SCREEN) if alone else load_file(folder / WEIGHTS)
        branch.load_state_dict(weights)
    except (OSError, LookupError, RuntimeError, ValueError) as err:
        raise UsageError(
            f"'{run}' is no run to go on from ({type(err).__name__}): its {WEIGHTS} is missing, "
            "or was trained with another --frozen or --start"
        ) from None


def restored(path: Path) -> dict[str, Tensor]:
    """A branch's weights out of the int8 file that was made of it.

    What is 8-bit there comes back with its scale, each weight within half a step of the file, which
    is several times wider where a large channel shares its column;
    pools and heads come back as they were.

    Args:
        path: a screen.onnx of `sanad train screen`.

    Raises:
        ValueError: it is another file.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load(str(path)).graph
    except DecodeError:
        raise ValueError("is no ONNX file") from None
    values = {
        item.name: torch.tensor(onnx.numpy_helper.to_array(item)) for item in graph.initializer
    }
    made = {name: node for node in graph.node for name in node.output}
    found = {
        name.removeprefix("branch."): value
        for name, value in values.items()
        if name.startswith("branch.") and not name.endswith("_Transposed")
    }
    for node in graph.node:
        matrix = _matrix(node, values, made)
        if matrix is not None:
            found |= _named(node.name.split("/")[1:-1], matrix, values)
    return found


def _matrix(node: Any, values: dict[str, Tensor], made: dict[str, Any]) -> Tensor | None:
    """What a node multiplies by, in full precision; None where it multiplies by no weights."""
    if "MatMul" not in node.op_type and "Attention" not in node.op_type:
        return None
    name = next((name for name in node.input if name in values), None)
    if name is None or values[name].dtype is not torch.int8:
        return None if name is None else values[name]
    stem = name.removesuffix("_quantized")
    steps = values[name].float() - values[f"{stem}_zero_point"].float()
    whole = steps * values[f"{stem}_scale"]
    # What large channels were divided by before they were rounded, their weights hold.
    rounded = made.get(node.input[0])
    eased = made.get(rounded.input[0]) if rounded is not None else None
    by = next((name for name in eased.input if name.endswith(EASED)), None) if eased else None
    return whole if by is None else whole * values[by][:, None]


def _named(place: list[str], matrix: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a branch that a matrix holds, by where its node stands."""
    if not place:
        return {}  # what the evidence is made with: the level head's weights once more
    turned = matrix.T.contiguous()
    match place:
        case ["upper", layer]:
            return _attention(f"upper.{layer}", turned, values)
        case ["upper", layer, dense]:
            return {f"upper.{layer}.{_DENSE[dense]}.weight": turned}
        case [pool, "weigh"]:
            return {f"{pool}.weigh.weight": turned}
        case [head]:
            return {f"heads.{head}.weight": turned}
    return {}


def _attention(layer: str, weight: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Query, key and value of a layer, which stand one after the other."""
    parts = zip(_ATTENTION, weight.chunk(3), values[f"{layer}.bias"].chunk(3), strict=True)
    found = {}
    for name, rows, shift in parts:
        found[f"{layer}.attention.self.{name}.weight"] = rows.contiguous()
        found[f"{layer}.attention.self.{name}.bias"] = shift.contiguous()
    return found
