"""People as vectors, and the forms in which a group's counts are shown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from membership_people import only, operator, people

from synthmob.audit.publication import forms
from synthmob.audit.vectors import Vectors, of_lives
from synthmob.counts import Contributions
from synthmob.domain import Axis
from synthmob.marginals import Marginal

AXIS = Axis("zone", tuple("abcdef"))


def table(name: str, rows: dict[tuple[int, int], int], n: int, sigma: float = 20.0) -> Contributions:
    keys = sorted(rows)
    persons, cells = (np.array([key[k] for key in keys], dtype=np.int64) for k in (0, 1))
    return Contributions(name, (AXIS,), n, persons, cells, np.array([rows[k] for k in keys], dtype=np.int64), 1.0, sigma)


rows = st.dictionaries(st.tuples(st.integers(0, 7), st.integers(0, 5)), st.integers(1, 1024), min_size=1)


@given(rows, rows, st.lists(st.booleans(), min_size=8, max_size=8), st.booleans())
def test_totals_of_vectors_are_those_of_the_contributions(one, other, chosen, whole):
    tables = {"one": table("one", one, 8), "other": table("other", other, 8)}
    vectors, members = Vectors.of(tables, whole_domain=whole), np.array(chosen)
    counts = np.asarray(vectors.people[members].sum(axis=0)).ravel()
    found = vectors.totals(counts)
    for name, contributions in tables.items():
        cells, fixed = contributions.totals(members)
        np.testing.assert_array_equal(found[name][0], cells)
        np.testing.assert_array_equal(found[name][1], fixed)


def test_what_is_published_finds_its_column_and_noise_elsewhere_is_left_out():
    vectors = Vectors.of({"one": table("one", {(0, 1): 1024, (1, 4): 512}, 2)})
    marginal = Marginal("one", (AXIS,), np.array([[0], [4]]), np.array([91.0, 95.0]), sigma=20.0, cut=90.0)
    values, known, cut = vectors.published({"one": marginal})
    assert (values.tolist(), known.tolist(), cut.tolist()) == ([0.0, 95.0], [False, True], [90.0, 90.0])
    nothing = Marginal("one", (AXIS,), np.empty((0, 1), dtype=np.int64), np.empty(0), sigma=20.0, cut=90.0)
    assert not vectors.published({"one": nothing})[1].any()


def test_other_people_are_counted_as_the_subjects_own():
    subject = operator()
    vectors = Vectors.of(of_lives(subject.contributions))
    again = vectors.of_others(subject, *people(subject, np.ones(subject.n, dtype=bool)))
    assert abs(again[:, :-1] - vectors.people).max() <= 1.01 / 1024  # not rounded
    assert abs(again[:, -1]).max() == 0


def test_what_others_add_outside_the_columns_is_kept_as_a_length():
    subject = only(operator(), "demographics", "presence@zone")
    few = {name: t.of(0) for name, t in subject.contributions.items()}
    mine = {name: table(name, {(0, 0): 1024}, 1) for name in few}
    for name, (cells, fixed) in few.items():
        t = subject.contributions[name]
        mine[name] = Contributions(name, t.axes, 1, np.zeros_like(cells), cells, fixed, t.bound_l2, t.sigma)
    vectors = Vectors.of(mine)  # only the cells of the first person
    full = Vectors.of(subject.contributions).people
    others = vectors.of_others(subject, subject.persons, subject.stays)
    length = np.sqrt(np.asarray(full.multiply(full).sum(axis=1)).ravel())
    found = np.sqrt(np.asarray(others.multiply(others).sum(axis=1)).ravel())
    np.testing.assert_allclose(found, length, rtol=0.01)
    assert others[0, -1] == 0 and others[1:, -1].max() > 1


def test_each_form_shows_what_it_says():
    subject = only(operator(), "home@zone")
    vectors = Vectors.of(subject.contributions)
    counts = np.linspace(0.0, 300.0, len(vectors.cells))
    rng = np.random.default_rng(1)
    shown = {form.key: form.show(counts, rng) for form in forms(subject, vectors)}
    np.testing.assert_array_equal(shown["raw"].values, counts)
    np.testing.assert_array_equal(shown["suppressed"].known, counts >= 50)
    assert shown["suppressed"].values[counts < 50].sum() == 0
    release, sigma = shown["release"], subject.contributions["home@zone"].sigma
    assert (release.values[release.known] >= release.cut[release.known]).all() and release.known.any() and not release.known.all()
    assert np.unique(release.cut).tolist() == [release.cut[0]] and release.cut[0] >= 50 + 2 * sigma
    assert [form.ours for form in forms(subject, vectors)] == [False, False, False, True, True]


@pytest.mark.parametrize(("key", "variance"), [("event", 2.0), ("before_cut", None)])
def test_the_noise_of_a_form_has_the_variance_that_attackers_are_told(key, variance):
    subject = only(operator(), "presence@zone")
    vectors = Vectors.of(subject.contributions, whole_domain=True)
    form = next(f for f in forms(subject, vectors) if f.key == key)
    noise = form.show(np.zeros(len(vectors.cells)), np.random.default_rng(1)).values
    told = variance or subject.contributions["presence@zone"].sigma ** 2
    assert form.noise[0] == pytest.approx(told)
    assert noise.var() == pytest.approx(told, rel=0.15) and abs(noise.mean()) < 5 * np.sqrt(told / len(noise))
