"""Chunks with weights."""

import numpy as np
import pytest

from latent_em.weighted import Weighted, rows_and_weights


def test_rows_without_weights_count_once():
    X, sample_weight = rows_and_weights([[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(X, [[1, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(sample_weight, [1, 1, 1])


def test_rows_that_count_zero_times_are_dropped():
    X, sample_weight = rows_and_weights(Weighted([[1], [2], [3]], [2, 0, 0.5]))
    np.testing.assert_array_equal(X, [[1], [3]])
    np.testing.assert_array_equal(sample_weight, [2, 0.5])


@pytest.mark.parametrize(
    ("sample_weight", "message"),
    [
        ([1, 1], r"sample_weight: got shape \(2,\), must be \(3,\)"),
        ([1, -1, 1], "sample_weight: got -1.0, must not be negative"),
        ([0, 0, 0], "sample_weight: got zero for every row"),
        ([1, np.nan, 1], r"sample_weight: got nan at \(1,\), must be finite"),
    ],
)
def test_bad_weights_are_named(sample_weight, message):
    with pytest.raises(ValueError, match=message):
        rows_and_weights(Weighted(np.zeros((3, 2)), sample_weight))
