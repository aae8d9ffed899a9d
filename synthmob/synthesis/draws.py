"""Random numbers of the kernels, in numba, and what they are turned into without a search: a number is keyed by (person, day, draw)."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthmob.compilation import compiled, inlined

GAMMA, MIX_1, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
S30, S27, S31, S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
TO_UNIT = 2.0**-53
HALF, LOWER, STEPS = np.uint64(32), np.uint64(2**32 - 1), 2.0**32


@inlined
def mix(z: Any) -> Any:
    """Splitmix64."""
    z = z + GAMMA
    z = (z ^ (z >> S30)) * MIX_1
    z = (z ^ (z >> S27)) * MIX_2
    return z ^ (z >> S31)


@inlined
def uniform(key: Any, person: Any, day: Any, draw: Any) -> Any:
    """The same number as seeds.uniforms gives, a scalar."""
    state = mix(np.uint64(key) ^ np.uint64(person))
    state = mix(state ^ np.uint64(day))
    return float(mix(state ^ np.uint64(draw)) >> S11) * TO_UNIT


@inlined
def keyed(key: Any, person: Any) -> Any:
    """What the random numbers of a person have in common; mixed once more with a day, those of the day."""
    return mix(np.uint64(key) ^ np.uint64(person))


@inlined
def unit(today: Any, draw: Any) -> Any:
    """The number of a draw: `uniform` with person and day mixed before, as `mix(keyed(key, person) ^ day)`."""
    return float(mix(today ^ np.uint64(draw)) >> S11) * TO_UNIT


@compiled
def guides(cumulative: Any, n: Any) -> Any:
    """Where a search may begin: the pick of k/n for every k up to n, shape (..., n + 1) for rows (day types, classes, chains)."""
    out = np.empty((cumulative.shape[0], cumulative.shape[1], n + 1), dtype=np.int32)
    for kind in range(cumulative.shape[0]):
        for klass in range(cumulative.shape[1]):
            row, at = cumulative[kind, klass], 0
            for k in range(n + 1):
                while at < len(row) - 1 and row[at] <= k / n * row[-1]:
                    at += 1
                out[kind, klass, k] = at
    return out


@compiled
def aliases(weights: Any, first: Any) -> Any:
    """Walker's tables, a word an entry (doi:10.1145/355744.355749): `weights` (rows, entries), entries `first[k]` to `first[k + 1]` drawn
    among themselves.

    The upper half of a word is the share of its entry that is kept, in steps of 2^-32; the lower half is the entry that has the rest,
    counted from the first. Entries that all weigh nothing are alike.
    """
    words = np.empty(weights.shape, dtype=np.uint64)
    most = np.diff(first).max()
    scaled, small, large = np.empty(most), np.empty(most, np.int64), np.empty(most, np.int64)
    for row in range(weights.shape[0]):
        for part in range(len(first) - 1):
            begin, n = first[part], first[part + 1] - first[part]
            total, n_small, n_large = 0.0, 0, 0
            for k in range(n):
                total += weights[row, begin + k]
            for k in range(n):
                scaled[k] = weights[row, begin + k] / total * n if total > 0.0 else 1.0
                words[row, begin + k] = np.uint64(k)
                if scaled[k] < 1.0:
                    small[n_small] = k
                    n_small += 1
                else:
                    large[n_large] = k
                    n_large += 1
            while n_small and n_large:
                n_small -= 1
                poor, rich = small[n_small], large[n_large - 1]
                words[row, begin + poor] = (np.uint64(scaled[poor] * STEPS) << HALF) | np.uint64(rich)
                scaled[rich] -= 1.0 - scaled[poor]
                if scaled[rich] < 1.0:
                    n_large -= 1
                    small[n_small] = rich
                    n_small += 1
    return words


@inlined
def aliased(word: Any, k: Any, share: Any) -> Any:
    """Entry k of a stretch, or the other one that its `word` names, by a share in [0, 1)."""
    return k if np.uint64(share * STEPS) < word >> HALF else np.int64(word & LOWER)


@inlined
def bits_of(n: Any) -> Any:
    """How many bits of a short word name one of n entries."""
    bits = 1
    while 1 << bits < n:
        bits += 1
    return bits


@compiled
def shortened(words: Any) -> Any:
    """Words (rows, entries) of half the length: the lower `bits_of` name the other entry, the rest is the share that is kept, to the
    nearest step below one."""
    bits = bits_of(words.shape[1])
    out, most = np.empty(words.shape, dtype=np.uint32), np.uint64((1 << (32 - bits)) - 1)
    for row in range(words.shape[0]):
        for k in range(words.shape[1]):
            kept = ((words[row, k] >> np.uint64(31 + bits)) + np.uint64(1)) >> np.uint64(1)
            out[row, k] = np.uint32(min(kept, most) << np.uint64(bits) | (words[row, k] & LOWER))
    return out


@inlined
def aliased_short(word: Any, bits: Any, k: Any, share: Any) -> Any:
    """As `aliased`, by a word of `shortened`."""
    return k if np.int64(share * (1 << (32 - bits))) < np.int64(word) >> bits else np.int64(word) & ((1 << bits) - 1)
