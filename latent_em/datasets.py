"""Data sets that come with the book, each with its source."""

from importlib import resources
from typing import NamedTuple

import numpy as np
from scipy import sparse


class OldFaithful(NamedTuple):
    """Eruptions of the Old Faithful geyser, in the order observed.

    Attributes
    ----------
    eruptions : ndarray of shape (272,)
        Duration of the eruption, in minutes.
    waiting : ndarray of shape (272,)
        Time until the next eruption, in minutes.
    """

    eruptions: np.ndarray
    waiting: np.ndarray


def load_old_faithful():
    """Load 272 eruptions of the Old Faithful geyser.

    ``np.column_stack(load_old_faithful())`` is the array of shape (272, 2) that a
    model takes.

    Returns
    -------
    OldFaithful
        Two arrays of 272 numbers, in minutes.

    References
    ----------
    W. Härdle (1991). *Smoothing Techniques with Implementation in S*. Springer. The table is
    that of R's ``datasets::faithful``. A. Azzalini and A. W. Bowman (1990), A look at some data
    on the Old Faithful geyser, *Applied Statistics* 39(3), 357–365, have a more complete version
    with 299 eruptions.
    """
    return OldFaithful(*_read_columns("old_faithful.csv"))


class Carcinoma(NamedTuple):
    """Seven pathologists' ratings of slides, as a table of patterns.

    ``Weighted(*load_carcinoma())`` is the chunk that a model takes, and
    ``np.repeat(ratings, slides, axis=0)`` are the 118 slides.

    Attributes
    ----------
    ratings : ndarray of shape (20, 7)
        One pattern a row, pathologists A to G in the columns: 1 if carcinoma was seen, else 0.
    slides : ndarray of shape (20,)
        Number of slides with that pattern; 118 in all.
    """

    ratings: np.ndarray
    slides: np.ndarray


def load_carcinoma():
    """Load 118 slides of the uterine cervix, rated by seven pathologists.

    Returns
    -------
    Carcinoma

    References
    ----------
    A. Agresti (2002). *Categorical Data Analysis*, second edition, Table 13.1. Wiley. From
    J. R. Landis and G. G. Koch (1977), *Biometrics* 33(2), 363–374.
    """
    *ratings, slides = _read_columns("carcinoma.csv")
    return Carcinoma(np.column_stack(ratings), slides)


class LondonTimes(NamedTuple):
    """Daily numbers of death notices, as a table.

    Attributes
    ----------
    deaths : ndarray of shape (10,)
        Deaths in a day, 0 to 9.
    days : ndarray of shape (10,)
        Number of days with that many deaths; 1096 in all.
    """

    deaths: np.ndarray
    days: np.ndarray


def load_london_times():
    """Load the deaths of women of 80 years and over in *The Times* of London, 1910 to 1912.

    ``Weighted(*load_london_times())`` is the chunk that a model takes.

    Returns
    -------
    LondonTimes

    References
    ----------
    V. Hasselblad (1969). Estimation of finite mixtures of distributions from the exponential
    family. *Journal of the American Statistical Association* 64(328), 1459–1471.
    """
    return LondonTimes(*_read_columns("london_times.csv"))


def load_linkage():
    """Load the genetic linkage counts: 197 animals in four categories.

    Returns
    -------
    ndarray of shape (4,)
        125, 18, 20, 34 animals. The categories have probabilities ½ + θ/4, (1 − θ)/4,
        (1 − θ)/4 and θ/4.

    References
    ----------
    A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data
    via the EM algorithm. *Journal of the Royal Statistical Society B* 39(1), 1–38, where the
    data are taken from C. R. Rao (1965), *Linear Statistical Inference and Its Applications*.
    """
    return np.array([125.0, 18.0, 20.0, 34.0])


def load_two_coins():
    """Load five sets of ten tosses, each of one of two coins.

    Returns
    -------
    ndarray of shape (5, 2)
        Heads and tails of each set.

    References
    ----------
    C. B. Do and S. Batzoglou (2008). What is the expectation maximization algorithm? *Nature
    Biotechnology* 26(8), 897–899.
    """
    return np.array([[5.0, 5.0], [9.0, 1.0], [8.0, 2.0], [4.0, 6.0], [7.0, 3.0]])


def load_murray():
    """Load twelve pairs made to show EM stopping at a saddle point, eight of them incomplete.

    Under a normal distribution the likelihood has two equal maxima, with correlation ±1/2 and
    variances 8/3, and a saddle point between them, with correlation 0 and variances 5/2.

    Returns
    -------
    ndarray of shape (12, 2)
        NaN where an entry is missing.

    References
    ----------
    G. D. Murray (1977). Contribution to the discussion of the paper by Dempster, Laird and
    Rubin. *Journal of the Royal Statistical Society B* 39(1), 27–28.
    """
    return np.column_stack(_read_columns("murray.csv"))


class Digits(NamedTuple):
    """Handwritten digits as grey images.

    Attributes
    ----------
    pixels : ndarray of shape (1797, 64)
        One image of 8 × 8 pixels a row, line by line: 0 for white paper to 16 for full ink.
    labels : ndarray of shape (1797,)
        The digit that was written, 0 to 9.
    """

    pixels: np.ndarray
    labels: np.ndarray


def load_digits():
    """Load 1797 handwritten digits of 64 pixels.

    They are the test set of the collection, written by 13 people. A pixel counts the dots of
    ink in a block of 4 × 4. The table is the one that comes with scikit-learn.

    Returns
    -------
    Digits

    References
    ----------
    E. Alpaydin and C. Kaynak (1998). *Optical Recognition of Handwritten Digits*. UCI Machine
    Learning Repository.
    """
    from sklearn import datasets  # here, for the other data need no scikit-learn

    return Digits(*datasets.load_digits(return_X_y=True))


class Reuters(NamedTuple):
    """News stories as counts of words: M = 395 documents, V = 4258 words.

    Attributes
    ----------
    counts : csr_array of shape (395, 4258)
        How many times each word occurs in each story; 84 010 tokens in all.
    vocabulary : ndarray of shape (4258,)
        The words in lower case, roughly from the most frequent to the least.
    titles : ndarray of shape (395,)
        Headline, place and date of each story, nearly in the order of the dates.
    """

    counts: sparse.csr_array
    vocabulary: np.ndarray
    titles: np.ndarray


def load_reuters():
    """Load 395 Reuters stories about people, churches and royalty, August 1996 to August 1997.

    Words that only hold a sentence together (the, of, and) and words that occur fewer than five
    times have been left out, as has the order of the words.

    Returns
    -------
    Reuters

    Notes
    -----
    The table is that of the Python package ``lda`` 3.0.2, which publishes it under the Mozilla
    Public License 2.0, and so is this copy; the rest of ``latent_em`` has a licence of its own.

    References
    ----------
    lda developers (2024). *lda: Topic modeling with latent Dirichlet allocation*, version 3.0.2.
    By their dates and titles the stories are from the Reuters
    Corpus, Volume 1: D. D. Lewis, Y. Yang, T. G. Rose and F. Li (2004), RCV1: a new benchmark
    collection for text categorization research, *Journal of Machine Learning Research* 5,
    361–397.
    """
    words, *stories = _read_lines("reuters.txt")
    titles, entries = zip(*(story.split("\t") for story in stories), strict=True)
    documents = [[entry.partition(":") for entry in line.split()] for line in entries]
    flat = [entry for document in documents for entry in document]
    indices = np.array([int(word) for word, _, _ in flat], dtype=np.int32)
    times = np.array([int(number or 1) for _, _, number in flat])
    offsets = np.cumsum([0, *map(len, documents)], dtype=np.int32)
    vocabulary = np.array(words.split())
    counts = sparse.csr_array((times, indices, offsets), shape=(len(documents), vocabulary.size))
    return Reuters(counts, vocabulary, np.array(titles))


def _read_columns(name):
    """Columns of a CSV file of numbers under one line of column names."""
    return np.loadtxt(_read_lines(name), delimiter=",", skiprows=1, unpack=True)


def _read_lines(name):
    """Lines of a data file, without the comments."""
    text = resources.files("latent_em").joinpath("data", name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]
