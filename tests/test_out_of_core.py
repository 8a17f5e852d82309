"""Chunks in files: the same numbers as in memory, and nothing travels that need not."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import sparse

from latent_em import gaussian_mixture, lda
from latent_em.em import fit_em
from latent_em.out_of_core import Rows, from_files, load_rows, rows_of


@pytest.fixture
def rows(tmp_path):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(m, 1, (500, 3)) for m in (0, 3)])
    np.save(tmp_path / "X.npy", rng.permutation(X))
    return tmp_path / "X.npy"


START = gaussian_mixture.Params(
    np.full(2, 0.5), np.array([[0.0] * 3, [1.0] * 3]), np.stack([np.eye(3)] * 2)
)


def test_rows_are_all_of_the_array(rows):
    chunks = rows_of(rows, 300)
    assert chunks == [
        Rows(str(rows), a, b) for a, b in ((0, 300), (300, 600), (600, 900), (900, 1000))
    ]
    np.testing.assert_array_equal(np.concatenate([*map(load_rows, chunks)]), np.load(rows))
    assert isinstance(load_rows(chunks[0]), np.memmap)
    with pytest.raises(ValueError, match="n_rows: got 0, must be at least 1"):
        rows_of(rows, 0)


@pytest.mark.parametrize("n_rows", [70, 1000])
@pytest.mark.parametrize("accelerate", [None, "squarem"])
def test_a_fit_from_files_is_the_fit_in_memory(rows, n_rows, accelerate):
    options = {"tol": 1e-9, "accelerate": accelerate}
    inside = fit_em(gaussian_mixture, START, [np.load(rows)], **options)
    outside = fit_em(from_files(gaussian_mixture), START, rows_of(rows, n_rows), **options)
    assert outside.n_iter == inside.n_iter
    np.testing.assert_allclose(outside.lower_bounds, inside.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(outside.params.means, inside.params.means, rtol=1e-8)


def test_worker_processes_are_sent_names_and_not_rows(rows):
    model, chunks = from_files(gaussian_mixture), rows_of(rows, 250)
    assert len(pickle.dumps((model.e_step, START, chunks[0]))) < 2000  # 250 rows are 6000 bytes
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        together = fit_em(model, START, chunks, tol=1e-9, executor=executor)
    np.testing.assert_array_equal(
        together.lower_bounds, fit_em(model, START, chunks, tol=1e-9).lower_bounds
    )


def documents(tmp_path):
    counts = np.random.default_rng(0).poisson(1.0, (60, 8))
    paths = []
    for part, block in enumerate(np.split(counts, 3)):
        paths.append(str(tmp_path / f"{part}.npz"))
        sparse.save_npz(paths[-1], sparse.csr_array(block))
    lambda_ = np.random.default_rng(1).gamma(100, 0.01, (2, 8))
    return paths, counts, lda.Params(lambda_, 0.5, 0.5)


def test_what_a_chunk_keeps_can_stay_in_a_file_too(tmp_path):
    paths, counts, start = documents(tmp_path)
    (tmp_path / "kept").mkdir()
    model = from_files(lda, load=sparse.load_npz, keep_in=tmp_path / "kept")
    outside = fit_em(model, start, paths, tol=0, max_iter=7)
    inside = fit_em(lda, start, [counts], tol=0, max_iter=7)
    np.testing.assert_allclose(outside.lower_bounds, inside.lower_bounds, rtol=1e-12)
    gamma = np.concatenate([np.load(name) for name in outside.local])
    np.testing.assert_allclose(gamma, inside.local[0], rtol=1e-10)
    assert len(list((tmp_path / "kept").iterdir())) == 2 * len(paths)  # this step's, the last one's


def test_a_visit_leaves_what_was_kept_before_as_it_was(tmp_path):
    paths, _, start = documents(tmp_path)
    model = from_files(lda, load=sparse.load_npz, keep_in=tmp_path)
    *_, first = model.e_step(start, paths[0], None)
    before = np.load(first)
    for _ in range(2):  # the second time as if the first were taken back
        *_, second = model.e_step(start._replace(alpha=3.0), paths[0], first)
        assert second != first
        np.testing.assert_array_equal(np.load(first), before)
