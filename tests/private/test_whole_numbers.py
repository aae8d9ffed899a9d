"""Floating point never touches a released count before it is an integer: the types from the bounded totals to the release.

A float drawn near a float gives its true value away in its last bits (Mironov 2012, doi:10.1145/2382196.2382264). Here counts are
int64 in 1/1024 person when they meet the noise, OpenDP is given and gives whole numbers, and the one division, by 1024, comes
after the cut and is exact.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import pytest
from record_folder import FEW, few

from synthmob.accounting import FIXED_POINT
from synthmob.plan import Plan
from synthmob.private import bounding, noise
from synthmob.private.curator import Curator
from synthmob.release import Release

Int64Array = npt.NDArray[np.int64]
NONE = np.empty(0, dtype=np.int64)


def test_counts_are_whole_from_the_totals_to_the_release(curator: Curator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every table of the standard plan, looked at where it meets the noise and where it leaves it; nothing is replaced."""
    totals, add_noise = bounding.totals, noise.add_noise
    met: list[Any] = []
    left: list[Int64Array] = []

    def seen_totals(*given: Any) -> Any:
        at, counts = totals(*given)
        assert type(at) is type(counts) is np.ndarray and at.dtype == counts.dtype == np.int64
        met.append((at, counts))
        return at, counts

    def seen_noise(cells: Int64Array, counts: Int64Array, n_domain: int, sigma: float, cut: float) -> tuple[Int64Array, Int64Array]:
        assert cells is met[-1][0] and counts is met[-1][1], "something stands between the totals and the noise"
        at, noisy = add_noise(cells, counts, n_domain, sigma, cut)
        assert at.dtype == noisy.dtype == np.int64
        left.append(noisy)
        return at, noisy

    monkeypatch.setattr(bounding, "totals", seen_totals)
    monkeypatch.setattr(noise, "add_noise", seen_noise)
    release = curator.measure(Plan.standard(2000.0, 1e-6, min_group=10))
    assert len(left) == len(met) == len(release.marginals) > 40 and sum(len(noisy) for noisy in left) > 200
    folder = release.save(tmp_path / "release")
    for noisy, (name, marginal) in zip(left, release.marginals.items(), strict=True):
        steps = [Fraction(v) * FIXED_POINT for v in marginal.values.tolist()]
        assert steps == [Fraction(k) for k in noisy.tolist()], name
        written = pq.read_table(folder / "tables" / f"{name}.parquet")["count"].to_pylist()
        assert [Fraction(v) * FIXED_POINT for v in written] == steps, name
    assert Release.load(folder).marginals.keys() == release.marginals.keys()


def test_opendp_is_given_whole_numbers_and_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from opendp import measurements

    real = measurements.make_gaussian
    passed: list[Any] = []

    def seen(*space: Any, scale: float) -> Any:
        made = real(*space, scale=scale)

        def draw(counts: list[int]) -> list[int]:
            drawn = made(counts)
            passed.extend((*counts, *drawn))
            return drawn

        assert "i64" in str(space[0]) and Fraction(scale) == Fraction(2.5) * FIXED_POINT
        return draw

    monkeypatch.setattr(measurements, "make_gaussian", seen)
    noise.add_noise(np.array([3], dtype=np.int64), np.array([7], dtype=np.int64), 50, 2.5, 5.0)
    assert len(passed) == 100 and {type(x) for x in passed} == {int} and 7 in passed


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32, np.uint64, np.bool_, object])
def test_the_noise_takes_nothing_but_whole_numbers_of_64_bits(kind: Any) -> None:
    right, wrong = np.array([1, 0], dtype=np.int64), np.array([1, 0]).astype(kind)
    for cells, counts in ((right, wrong), (wrong, right)):
        for call in (
            lambda c=cells, n=counts: noise.add_noise(c, n, 10, 1.0, 50.0),
            lambda c=cells, n=counts: noise.add_noise(c, n, 10**6, 1.0, 50.0),
            lambda c=cells, n=counts: noise.noisy_domain(c, n, 10, 1.0),
            lambda c=cells, n=counts: noise.noisy_at(right, c, n, 1.0),
        ):
            with pytest.raises(TypeError, match="must be int64 in 1/1024 person"):
                call()


@pytest.mark.parametrize("n_domain", [3, 10**6])
def test_counts_too_large_for_a_float_are_kept_to_the_last_step(n_domain: int) -> None:
    """2^53 + 1 is no float: with noise of far under a step, every step is still there."""
    counts = np.array([2**53 + 1, 2**60 + 3, 2**62 + 7], dtype=np.int64)
    at, noisy = noise.add_noise(np.arange(3, dtype=np.int64), counts, n_domain, 1e-5, 10.0)
    assert at.tolist() == [0, 1, 2] and noisy.tolist() == counts.tolist()


def test_noise_at_the_edge_of_64_bits_stays_there() -> None:
    """OpenDP's sums are exact and end at the largest number of the type: nothing wraps round to a negative count."""
    counts = np.full(200, 2**63 - 1, dtype=np.int64)
    noisy = noise.noisy_domain(np.arange(200, dtype=np.int64), counts, 200, 20.0)[1]
    assert noisy.min() > 2**62 and (noisy == 2**63 - 1).any()


def test_raw_counts_for_audits_are_whole_too(curator: Curator) -> None:
    plan = curator.plan(few(requests=FEW[:2]))
    found = curator.measure_raw(plan, {r.name: np.arange(20, dtype=np.int64) for r in plan.requests})
    assert len(found) == 2 and all(v.dtype == np.int64 and len(v) == 20 for v in found.values())
