"""Which conversations are the same, or nearly, among millions: arrays of numbers, no texts."""

from __future__ import annotations

import hashlib
import itertools
import re
from array import array
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Pairs: TypeAlias = NDArray[np.int64]

__all__ = ["NEAR", "digest", "near", "plain", "same", "sketch", "units"]

NEAR = 0.8  # Jaccard similarity of word pairs above which two texts are near-duplicates
PERMUTATIONS = 96
BAND = 6  # numbers in a band: of pairs at 0.8 of similarity 99 in 100 share one of 16
AT_ONCE = 1 << 18  # pairs whose sketches are compared at a time
NONE = 0  # the digest of what is not there


def digest(text: str) -> int:
    """A number of 64 bits for a text; 0 for an empty one."""
    if not text:
        return NONE
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) or 1


def plain(text: str) -> str:
    """A text as it is compared: in small letters, with single spaces."""
    return " ".join(text.casefold().split())


def sketch(text: str) -> bytes:
    """The MinHash of a text's word pairs (Broder 1997), 96 numbers of 32 bits."""
    words = re.findall(r"\w+", text.lower())
    pairs = {" ".join(pair) for pair in itertools.pairwise(words)} or set(words) or {text.strip()}
    made = _empty().copy()
    made.update_batch([pair.encode() for pair in pairs])
    return made.hashvalues.astype("uint32").tobytes()  # type: ignore[no-any-return]


@cache
def _empty() -> Any:
    """A MinHash of nothing: its permutations take longer to make than to use."""
    from datasketch import MinHash

    return MinHash(num_perm=PERMUTATIONS, seed=1)


def same(keys: array[int]) -> Pairs:
    """Each row whose key an earlier row has, after the first such row.

    Args:
        keys: digests; rows of which it is 0 are like no other.
    """
    import numpy as np

    found = np.asarray(keys, np.uint64)
    _, first, place = np.unique(found, return_index=True, return_inverse=True)
    earlier = first[place]
    later = np.flatnonzero((earlier != np.arange(len(found))) & (found != NONE))
    return np.column_stack((earlier[later], later))


def near(texts: array[int], *sketches: bytearray) -> Pairs:
    """Each row that is nearly the same as an earlier row, after that row, but not the same.

    A band holds numbers of every side, so rows meet in it that are alike in all of them: those
    that have only an answer in common would stand between two that have a question in common too.

    Args:
        texts: the digests of what was sketched.
        sketches: of all rows, one after the other; several of them are of the sides of a row, each
            of which must be alike.
    """
    import numpy as np

    sides = [np.frombuffer(side, np.uint32).reshape(-1, PERMUTATIONS) for side in sketches]
    digests = np.asarray(texts, np.uint64)
    width = BAND // len(sides)
    pairs = np.empty((0, 2), np.int64)
    for start in range(0, PERMUTATIONS, width):
        found = _in_a_band(np.hstack([side[:, start : start + width] for side in sides]))
        found = found[digests[found[:, 0]] != digests[found[:, 1]]]
        pairs = np.unique(np.concatenate((pairs, _alike(sides, found))), axis=0)
    return pairs


def _alike(sides: Sequence[NDArray[np.uint32]], pairs: Pairs) -> Pairs:
    """Those of the pairs that are alike in all sides."""
    import numpy as np

    kept = [np.empty((0, 2), np.int64)]
    for start in range(0, len(pairs), AT_ONCE):
        part = pairs[start : start + AT_ONCE]
        for side in sides:
            part = part[(side[part[:, 0]] == side[part[:, 1]]).mean(axis=1) >= NEAR]
        kept.append(part)
    return np.concatenate(kept)


def _in_a_band(band: NDArray[np.uint32]) -> Pairs:
    """Rows whose numbers in a band are the same: each with the first of them, and the one before.

    Not each with each: a phrase that a million rows share makes two million pairs, not 10^12.
    """
    import numpy as np

    odd = np.random.default_rng(1).integers(1, 1 << 63, band.shape[1], np.uint64) * 2 + 1
    keys = (band.astype(np.uint64) * odd).sum(axis=1, dtype=np.uint64)
    order = np.argsort(keys, kind="stable")
    again = keys[order][1:] == keys[order][:-1]
    starts = np.concatenate(([True], ~again))[: len(order)]
    firsts = order[np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))]
    by_first = np.column_stack((firsts[1:][again], order[1:][again]))
    by_neighbour = np.column_stack((order[:-1][again], order[1:][again]))
    return np.concatenate((by_first, by_neighbour))


def units(count: int, pairs: list[Pairs]) -> list[int]:
    """For each row the number of the unit that it is in: rows that pairs tie are in one.

    Args:
        count: of the rows.
        pairs: ties between them.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ties = np.concatenate([np.empty((0, 2), np.int64), *pairs])
    shape = (count, count)
    graph: Any = coo_array((np.ones(len(ties), np.int8), (ties[:, 0], ties[:, 1])), shape=shape)
    return connected_components(graph, directed=False)[1].tolist()  # type: ignore[no-any-return]
