"""Rows out of the backend as compact arrays, and the cells of several sides brought onto one list of cells.

The truth keeps one row for each person and cell, because the sampling floor weighs persons anew; the other sides are
summed on the backend. Nothing here knows what a metric is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synthmob.errors import InputError
from synthmob.fidelity.features import Feature
from synthmob.fidelity.sides import FloatArray, Side

IntArray = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

MAX_MASK_CELLS = 2**26
"""Up to this many possible cells, a mask finds the occupied ones faster than sorting the rows does."""


@dataclass(frozen=True)
class Pulled:
    """Rows of one feature of one side: `codes` and `texts` by column, weights, and each row's person where kept."""

    codes: dict[str, Int32Array]
    texts: dict[str, tuple[str, ...]]
    weight: FloatArray
    person: Int32Array | None = None


@dataclass(frozen=True)
class Cells:
    """The cells that any side occupies: their codes by column, and the texts that a text column's codes mean."""

    codes: dict[str, IntArray]
    texts: dict[str, tuple[str, ...]]

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(next(iter(self.codes.values())))


@dataclass(frozen=True)
class Aligned:
    """Rows of the truth (person, cell, weight) and the summed cells of every other side, over the same `cells`."""

    cells: Cells
    person: Int32Array
    cell: Int32Array
    weight: FloatArray
    others: tuple[FloatArray, ...]


def pull(side: Side, feature: Feature, *, by_person: bool) -> Pulled:
    """The rows of a feature, summed over equal codes, for each person where `by_person`."""
    names = ["person_id", *feature.columns] if by_person else list(feature.columns)
    rows = feature.rows(side.coded)
    summed = rows.group_by(names).agg(weight=rows.weight.sum())
    # The whole answer at once: ibis 12's stream of batches calls a method that duckdb 2.0 does not have.
    answer = side.coded.backend.to_pyarrow(summed)
    codes: dict[str, Int32Array] = {}
    texts: dict[str, tuple[str, ...]] = {}
    for name in names:
        codes[name], found = _integers(answer.column(name))
        if found:
            texts[name] = found
        # One column at a time, each freed as soon as it is read: the presence of half a million persons is big.
        answer = answer.drop_columns([name])
    person = codes.pop("person_id") if by_person else None
    return Pulled(codes, texts, answer.column("weight").to_numpy().astype(np.float64, copy=False), person)


def _integers(column: Any) -> tuple[Int32Array, tuple[str, ...]]:
    """A column as int32, text as codes of the texts returned beside it."""
    import pyarrow as pa

    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column.to_numpy().astype(np.int32), ()
    encoded = column.combine_chunks().dictionary_encode()
    whole = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return whole.indices.to_numpy(zero_copy_only=False).astype(np.int32), tuple(whole.dictionary.to_pylist())


def align(truth: Pulled, others: Sequence[Pulled]) -> Aligned:
    """All sides over the cells that any of them occupies, in the order of their codes, texts in alphabetical order."""
    if truth.person is None:
        raise InputError("The truth's rows come without their persons: pull them with by_person=True.")
    sides = [truth, *others]
    texts = {name: tuple(sorted({t for s in sides for t in s.texts.get(name, ())})) for name in truth.texts}
    columns = [[_recoded(side, name, texts) for name in truth.codes] for side in sides]
    sizes = [
        1 + max((int(side[k].max()) for side in columns if len(side[k])), default=0) for k in range(len(truth.codes))
    ]
    flats = [_flat(side, sizes) for side in columns]
    found, ranks = _occupied(flats, int(np.prod([float(s) for s in sizes])))
    codes: dict[str, IntArray] = {}
    rest = found
    for name, size in zip(reversed(list(truth.codes)), reversed(sizes), strict=True):
        rest, codes[name] = np.divmod(rest, size)
    summed = tuple(sums(rank, side.weight, len(found)) for rank, side in zip(ranks[1:], others, strict=True))
    return Aligned(
        Cells({name: codes[name] for name in truth.codes}, texts), truth.person, ranks[0], truth.weight, summed
    )


def sums(index: npt.NDArray[Any], weight: FloatArray, size: int) -> FloatArray:
    """The sum of the weights at each index, shape (size,): bincount, which numpy types as counts even with weights."""
    return np.bincount(index, weights=weight, minlength=size).astype(np.float64, copy=False)


def _recoded(side: Pulled, name: str, texts: dict[str, tuple[str, ...]]) -> Int32Array:
    """A column in the codes that all sides share."""
    if name not in texts:
        return side.codes[name]
    place = {text: code for code, text in enumerate(texts[name])}
    translate = np.array([place[text] for text in side.texts.get(name, ())], dtype=np.int32)
    return translate[side.codes[name]] if len(translate) else side.codes[name]


def _flat(columns: Sequence[Int32Array], sizes: Sequence[int]) -> IntArray:
    flat = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        flat *= size
        flat += column
    return flat


def _occupied(flats: Sequence[IntArray], n_possible: int) -> tuple[IntArray, list[Int32Array]]:
    """The distinct values of all sides in order, and the rank of every value of each side among them."""
    if n_possible <= MAX_MASK_CELLS:
        mask = np.zeros(n_possible, dtype=np.bool_)
        for flat in flats:
            mask[flat] = True
        found = np.flatnonzero(mask)
        rank = np.zeros(n_possible, dtype=np.int32)
        rank[found] = np.arange(len(found), dtype=np.int32)
        return found, [rank[flat] for flat in flats]
    found = np.unique(np.concatenate([np.unique(flat) for flat in flats]))
    return found, [np.searchsorted(found, flat).astype(np.int32) for flat in flats]
