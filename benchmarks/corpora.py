"""Texts to compare on: made up, and found in every installation."""

import ast
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer


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


def docstrings(libraries=("numpy", "scipy", "sklearn", "sympy")):
    """Counts of words in the docstrings of installed libraries: a real corpus without a download.

    English stop words, words in fewer than 5 or in more than a quarter of the docstrings, and then
    docstrings of fewer than 50 words are left out.

    Returns
    -------
    scipy.sparse.csr_array of shape (n_documents, n_words)
    """
    files = [
        path
        for name in libraries
        for path in sorted(Path(find_spec(name).origin).parent.rglob("*.py"))
        if "tests" not in path.parts
    ]
    nodes = (node for path in files for node in ast.walk(ast.parse(path.read_bytes())))
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef
    texts = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]
    vectorizer = CountVectorizer(
        stop_words="english", token_pattern=r"\b[a-z]{3,}\b", min_df=5, max_df=0.25
    )
    counts = sparse.csr_array(vectorizer.fit_transform(texts))
    return counts[counts.sum(axis=1) >= 50]
