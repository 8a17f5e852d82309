"""Moments pool without loss, wherever the data lie and however they are cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_em.covariances import COVARIANCE_TYPES
from latent_em.moments import moments, pool

TYPES = pytest.mark.parametrize("kind", COVARIANCE_TYPES.values(), ids=COVARIANCE_TYPES)


def brute_force(X, resp, kind):
    nk = resp.sum(axis=0)
    means = resp.T @ X / nk[:, None]
    full = np.stack(
        [(r[:, None] * (X - m)).T @ (X - m) for r, m in zip(resp.T, means, strict=True)]
    )
    scatter = {
        "full": full,
        "tied": full.sum(axis=0),
        "diag": np.einsum("kii->ki", full),
        "spherical": np.einsum("kii->k", full) / X.shape[1],
    }
    return nk, means, scatter[kind.name]


@TYPES
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 59))
def test_two_parts_together_are_the_whole(kind, seed, cut):
    rng = np.random.default_rng(seed)
    X, resp = rng.standard_normal((60, 3)), rng.dirichlet(np.ones(2), size=60)
    nk, means, scatter = brute_force(X, resp, kind)
    pooled = moments(X[:cut], resp[:cut], kind) + moments(X[cut:], resp[cut:], kind)
    assert pooled.n_samples == 60
    np.testing.assert_allclose(pooled.nk, nk)
    np.testing.assert_allclose(pooled.means, means, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(pooled.scatter, scatter, rtol=1e-10, atol=1e-12)


@TYPES
def test_blocks_of_rows_do_not_show(kind):
    rng = np.random.default_rng(0)
    X, resp = rng.standard_normal((3_000, 30)), rng.dirichlet(np.ones(4), size=3_000)
    nk, means, scatter = brute_force(X, resp, kind)
    stats = moments(X, resp, kind)
    np.testing.assert_allclose(stats.nk, nk)
    np.testing.assert_allclose(stats.means, means, atol=1e-12)
    np.testing.assert_allclose(stats.scatter, scatter, rtol=1e-10, atol=1e-9)


@TYPES
def test_data_far_from_the_origin_lose_no_digits(kind):
    rng = np.random.default_rng(1)
    X, resp = rng.integers(-9, 9, size=(60, 3)), rng.dirichlet(np.ones(2), size=60)
    near, far = moments(X, resp, kind), moments(X + 2.0**40, resp, kind)
    np.testing.assert_allclose(far.means - 2.0**40, near.means, atol=1e-3)
    np.testing.assert_allclose(far.scatter, near.scatter, rtol=1e-7, atol=1e-5)


@TYPES
def test_a_component_without_samples_adds_nothing(kind):
    X, resp = np.array([[1.0], [3.0]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    stats = moments(X, resp, kind) + moments(X, resp, kind)
    np.testing.assert_array_equal(stats.nk, [4, 0])
    np.testing.assert_array_equal(stats.means, [[2], [0]])
    assert stats.scatter.sum() == 4


@TYPES
def test_many_parts_are_pooled_at_once(kind):
    rng = np.random.default_rng(2)
    X, resp = rng.standard_normal((90, 3)) + 1e6, rng.dirichlet(np.ones(2), size=90)
    resp[:30, 1] = 0  # the second component is not in the first part
    nk, means, scatter = brute_force(X, resp, kind)
    cuts = [slice(0, 30), slice(30, 31), slice(31, 90)]
    pooled = pool(moments(X[rows], resp[rows], kind) for rows in cuts)
    assert pooled.n_samples == 90
    np.testing.assert_allclose(pooled.nk, nk)
    np.testing.assert_allclose(pooled.means, means, rtol=1e-14)
    np.testing.assert_allclose(pooled.scatter, scatter, rtol=1e-8, atol=1e-8)
