"""Made-up texts in which every topic is there to be found."""

import numpy as np
from scipy import sparse


def synthetic(n_documents, n_words, n_topics, mean_length, alpha, eta, seed):
    """Counts of words drawn from the model itself: θ_m ~ Dir(α), β_k ~ Dir(η), words from θ_m β.

    The lengths are Poisson. 1600 documents of 125 words on average, from 2000 words, have about
    138 000 pairs of a document and a word.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_documents, n_words)
    """
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(n_words, eta), n_topics)
    theta = rng.dirichlet(np.full(n_topics, alpha), n_documents)
    lengths = rng.poisson(mean_length, n_documents)
    documents = (rng.multinomial(n, p @ topics) for n, p in zip(lengths, theta, strict=True))
    return sparse.vstack([sparse.csr_array(words[np.newaxis]) for words in documents], "csr")
