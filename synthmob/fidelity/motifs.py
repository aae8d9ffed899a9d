"""Daily motifs: the places of a day as a directed graph up to isomorphism, whatever the places are.

Schneider et al. 2013, doi:10.1098/rsif.2013.0246. A node is a distinct zone, an edge a trip between two of them, repeated trips
count once. A day is taken from 03:00 and, departing from the source, ends at midnight, because days are recorded so; stays that
end by 03:00 belong to the night before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

MOST_PLACES = 6
LARGER = -1
"""The code of every graph of more places than that."""
FROM_MIN = 180
PLACE_SEPARATOR = "-"


def motif(places: Sequence[int]) -> int:
    """The code of the graph that a day's places draw in their order, equal for two days if and only if the graphs are isomorphic.

    >>> motif([7, 3, 7]) == motif([1, 2, 1]), motif([1, 2, 1]) == motif([1, 2]), motif([5, 5])
    (True, False, 2)
    """
    names: dict[int, int] = {}
    walk = [names.setdefault(place, len(names)) for place in places]
    n = len(names)
    if n > MOST_PLACES:
        return LARGER
    edges = frozenset((a, b) for a, b in itertools.pairwise(walk) if a != b)
    return _canonical(n, edges)


@cache
def _canonical(n: int, edges: frozenset[tuple[int, int]]) -> int:
    """A leading 1 for every size, then the smallest adjacency matrix that any numbering of the nodes gives, read as bits."""
    orders = _orders(n)
    codes = np.zeros(len(orders), dtype=np.int64)
    for a, b in edges:
        codes += 1 << (orders[:, a] * n + orders[:, b])
    return (1 << (n * n)) + int(codes.min())


@cache
def _orders(n: int) -> npt.NDArray[np.int64]:
    return np.array(list(itertools.permutations(range(n))), dtype=np.int64)


def motif_of(text: str) -> int:
    """The motif of a day whose places are told as numbers in one text.

    >>> motif_of("1-2-1") == motif([1, 2, 1])
    True
    """
    return motif([int(place) for place in text.split(PLACE_SEPARATOR)])
