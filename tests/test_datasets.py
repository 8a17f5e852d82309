"""The data: shapes, totals, and the entries that a slip would change."""

import numpy as np

from latent_em import datasets


def test_old_faithful():
    eruptions, waiting = datasets.load_old_faithful()
    assert eruptions.shape == waiting.shape == (272,)
    np.testing.assert_allclose([eruptions.mean(), waiting.mean()], [3.487783, 70.897059], atol=5e-7)


def test_carcinoma():
    ratings, slides = datasets.load_carcinoma()
    assert ratings.shape == (20, 7)
    assert slides.sum() == 118
    assert set(ratings.ravel()) == {0.0, 1.0}
    assert len(np.unique(ratings, axis=0)) == 20
    # Slides on which each pathologist, A to G, saw carcinoma.
    np.testing.assert_array_equal(slides @ ratings, [66, 79, 45, 32, 71, 25, 66])
    np.testing.assert_array_equal(slides[[0, -1]], [34, 16])


def test_london_times():
    deaths, days = datasets.load_london_times()
    np.testing.assert_array_equal(deaths, np.arange(10))
    np.testing.assert_array_equal(days, [162, 267, 271, 185, 111, 61, 27, 8, 3, 1])
    assert days.sum() == 365 + 365 + 366  # 1910, 1911 and 1912


def test_linkage():
    counts = datasets.load_linkage()
    np.testing.assert_array_equal(counts, [125, 18, 20, 34])
    assert counts.sum() == 197


def test_two_coins():
    tosses = datasets.load_two_coins()
    np.testing.assert_array_equal(tosses[:, 0], [5, 9, 8, 4, 7])
    np.testing.assert_array_equal(tosses.sum(axis=1), 10)


def test_murray():
    X = datasets.load_murray()
    assert X.shape == (12, 2)
    np.testing.assert_array_equal(np.isnan(X).sum(axis=0), [4, 4])
    assert not np.isnan(X).all(axis=1).any()
    np.testing.assert_array_equal(np.nansum(X, axis=0), [0, 0])
    np.testing.assert_array_equal(np.nansum(X**2, axis=0), [20, 20])


def test_digits():
    pixels, labels = datasets.load_digits()
    assert pixels.shape == (1797, 64)
    np.testing.assert_array_equal(np.bincount(labels)[[0, 3, 8]], [178, 183, 174])
    assert (pixels.min(), pixels.max(), pixels.sum()) == (0, 16, 561718)
    np.testing.assert_array_equal(np.flatnonzero(np.ptp(pixels, axis=0) == 0), [0, 32, 39])


def test_reuters():
    counts, vocabulary, titles = datasets.load_reuters()
    assert counts.shape == (vocabulary.size, titles.size)[::-1] == (395, 4258)
    assert (counts.nnz, counts.sum(), counts.data.min()) == (60114, 84010, 1)
    assert titles[0] == "UK: Prince Charles spearheads British royal revolution. LONDON 1996-08-20"
    assert titles[-1].endswith("ex-Kidder muni banker, dead at 88. NEW YORK 1997-08-18")
    assert len(set(vocabulary)) == vocabulary.size
    frequency = counts.sum(axis=0)
    assert (frequency.min(), frequency.max()) == (5, 630)
    assert list(vocabulary[np.argsort(-frequency)[:4]]) == ["church", "pope", "years", "people"]
    # One story from end to end: the first, by the words that it uses most.
    first = counts[[0]].toarray().ravel()
    assert (np.count_nonzero(first), first.sum()) == (159, 228)
    assert set(vocabulary[first >= 7]) == {"prince", "royal"}


def test_a_loader_returns_its_own_copy():
    datasets.load_linkage()[:] = 0
    assert datasets.load_linkage().sum() == 197
