"""Real engines: a cluster that loses a worker, a driver that is killed, data beyond the memory."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from latent_em import GaussianMixture, LatentDirichletAllocation, gaussian_mixture, lda
from latent_em.em import fit_em
from latent_em.out_of_core import rows_of

pytestmark = pytest.mark.slow

START = gaussian_mixture.Params(
    np.full(2, 0.5), np.array([[0.0] * 3, [1.0] * 3]), np.stack([np.eye(3)] * 2)
)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(m, 1, (3000, 3)) for m in (0, 2)])
    np.save(tmp_path / "X.npy", rng.permutation(X))
    counts = rng.poisson(0.5, (90, 40))
    np.save(tmp_path / "counts.npy", counts)
    (tmp_path / "kept").mkdir()
    lambda_ = rng.gamma(100, 0.01, (3, 40))
    for name, start in (("start", START), ("topics", lda.Params(lambda_, 0.5, 0.5))):
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps(start))
    return tmp_path


def program(folder, name, text):
    """Write a program that workers can import; return how to run it in the folder."""
    head = """
        import os, pickle, signal, sys
        from pathlib import Path
        import numpy as np
        from latent_em import gaussian_mixture, lda
        from latent_em.em import fit_em
        from latent_em.out_of_core import from_files, load_rows, rows_of

        def read(name):
            return pickle.loads(Path(name + ".pickle").read_bytes())

        def write(name, value):
            Path(name + ".part").write_bytes(pickle.dumps(value))
            os.replace(name + ".part", name + ".pickle")
    """
    (folder / f"{name}.py").write_text(textwrap.dedent(head) + textwrap.dedent(text))
    return [sys.executable, f"{name}.py"]


def run(folder, name, text):
    done = subprocess.run(
        program(folder, name, text), cwd=folder, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return pickle.loads((folder / "result.pickle").read_bytes())


def test_a_dask_cluster_that_loses_workers_gives_the_serial_result(folder):
    pytest.importorskip("distributed", reason="needs latent_em[cluster]")
    text = """
        os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "300s"  # however busy the machine
        from dask.distributed import Client, LocalCluster
        from latent_em import GaussianMixture, LatentDirichletAllocation

        def load(rows):  # once in each file, the worker dies of it in the middle of a step
            armed = Path(rows.path + ".armed")
            if rows.start in (2400, 40) and armed.exists():
                armed.rename(rows.path + ".fired")
                os.kill(os.getpid(), signal.SIGKILL)
            return load_rows(rows)

        if __name__ == "__main__":
            with LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster:
                with Client(cluster) as client:
                    executor = client.get_executor(pure=False)
                    X, counts = np.load("X.npy"), np.load("counts.npy")
                    there = client.scatter([X[:2500], X[2500:]])  # chunks that are in the workers
                    futures = fit_em(gaussian_mixture, read("start"), there, tol=0, max_iter=10,
                                     executor=executor)
                    mixture = GaussianMixture(2, random_state=0).fit(X, executor=executor)
                    allocation = LatentDirichletAllocation(3, random_state=0)
                    allocation.fit(counts, executor=executor)
                    del there
                    before = client.run(os.getpid)
                    model, chunks = from_files(gaussian_mixture, load), rows_of("X.npy", 800)
                    first = fit_em(model, read("start"), chunks, tol=0, max_iter=5,
                                   executor=executor)
                    Path("X.npy.armed").touch()
                    rest = fit_em(model, first.params, chunks, local=first.local, tol=0,
                                  max_iter=5, executor=executor)
                    client.wait_for_workers(2)
                    model, chunks = from_files(lda, load, "kept"), rows_of("counts.npy", 20)
                    early = fit_em(model, read("topics"), chunks, tol=0, max_iter=3,
                                   executor=executor)
                    Path("counts.npy.armed").touch()
                    topics = fit_em(model, lda.m_step(early.stats), chunks, local=early.local,
                                    tol=0, max_iter=4, executor=executor)
                    client.wait_for_workers(2)
                    kept = np.concatenate([np.load(name) for name in topics.local])
                    after = client.run(os.getpid)
            bounds = [*first.lower_bounds, *rest.lower_bounds[1:]]
            topics_bounds = [*early.lower_bounds, *topics.lower_bounds]
            write("result", (rest.params, bounds, topics_bounds, kept, before, after,
                             futures.lower_bounds, mixture, allocation))
    """
    result = run(folder, "cluster", text)
    params, lower_bounds, topics, gamma, before, after, futures, mixture, allocation = result
    assert (folder / "X.npy.fired").exists()
    assert (folder / "counts.npy.fired").exists()
    assert 1 <= len({*before.values()} - {*after.values()}) <= 2  # the same twice, or both
    X, counts = np.load(folder / "X.npy"), np.load(folder / "counts.npy")
    serial = fit_em(gaussian_mixture, START, [X], tol=0, max_iter=10)
    np.testing.assert_allclose(lower_bounds, serial.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(futures, serial.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(params.means, serial.params.means, rtol=1e-10)
    start = pickle.loads((folder / "topics.pickle").read_bytes())
    alone = fit_em(lda, start, [counts], tol=0, max_iter=8)
    np.testing.assert_allclose(topics, alone.lower_bounds, rtol=1e-12)
    np.testing.assert_allclose(gamma, alone.local[0], rtol=1e-9)
    np.testing.assert_allclose(
        mixture.means_, GaussianMixture(2, random_state=0).fit(X).means_, rtol=1e-9
    )
    here = LatentDirichletAllocation(3, random_state=0).fit(counts)
    np.testing.assert_allclose(allocation.components_, here.components_, rtol=1e-8)


@pytest.mark.parametrize(
    ("model", "start", "data", "n_rows"),
    [(gaussian_mixture, "start", "X.npy", 1000), (lda, "topics", "counts.npy", 20)],
)
def test_a_fit_goes_on_after_its_driver_was_killed(folder, model, start, data, n_rows):
    """Killed in the third of four rounds, when what documents keep has been replaced twice."""
    text = f"""
        from itertools import count
        import {model.__name__} as model

        loads = count()

        def load(rows):
            if next(loads) == 44 and "wait" in sys.argv:
                print("in the middle", flush=True)
                sys.stdin.readline()
            return load_rows(rows)

        fresh = read("{start}"), None, []
        params, local, bounds = read("state") if Path("state.pickle").exists() else fresh
        while len(bounds) < 12:
            room = Path(f"kept{{len(bounds)}}")
            room.mkdir(exist_ok=True)
            fit = fit_em(from_files(model, load, room), params, rows_of("{data}", {n_rows}),
                         local=local, tol=0, max_iter=2)
            params, local = model.m_step(fit.stats), fit.local
            bounds = [*bounds, *fit.lower_bounds]
            write("state", (params, local, bounds))
        write("result", (fit.params, bounds))
    """
    command = program(folder, "driver", text)
    driver = subprocess.Popen(
        [*command, "wait"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with driver:
        assert driver.stdout.readline() == "in the middle\n"
        driver.send_signal(signal.SIGKILL)
    assert driver.returncode == -signal.SIGKILL
    assert not (folder / "result.pickle").exists()
    *_, until_then = pickle.loads((folder / "state.pickle").read_bytes())
    assert len(until_then) == 6
    params, lower_bounds = run(folder, "driver", text)
    rows = np.load(folder / data)
    chunks = [rows[c.start : c.stop] for c in rows_of(folder / data, n_rows)]
    first = pickle.loads((folder / f"{start}.pickle").read_bytes())
    whole = fit_em(model, first, chunks, tol=0, max_iter=11)
    np.testing.assert_array_equal(lower_bounds, whole.lower_bounds)
    for ours, theirs in zip(params, whole.params, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA means this on Linux alone")
def test_data_four_times_larger_than_all_private_memory(folder, monkeypatch):
    """The kernel refuses the process private memory, used or not, beyond a quarter of the data."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    X = np.lib.format.open_memmap(folder / "large.npy", "w+", shape=(6_000_000, 16))
    rng = np.random.default_rng(0)
    for start in range(0, len(X), 100_000):
        X[start : start + 100_000] = rng.standard_normal((100_000, 16)) + 2 * (start % 200_000 > 0)
    size = X.nbytes
    del X
    text = """
        import resource

        limit = os.path.getsize("large.npy") // 4
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        try:
            np.ones(limit // 8)
        except MemoryError:
            pass
        else:
            raise SystemExit("the limit does not hold")
        means = np.array([[0.0] * 16, [1.0] * 16])
        start = gaussian_mixture.Params(np.full(2, 0.5), means, np.stack([np.eye(16)] * 2))
        chunks = rows_of("large.npy", 50_000)
        fit = fit_em(from_files(gaussian_mixture), start, chunks, tol=0, max_iter=3)
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        write("result", (fit, {key: status[key].strip() for key in ("VmData", "RssAnon")}))
    """
    fit, memory = run(folder, "large", text)
    print(f"data {size / 2**20:.0f} MiB, private memory {memory}")
    assert size > 4 * 1024 * int(memory["VmData"].split()[0])
    assert (np.diff(fit.lower_bounds) > 0).all()
    assert fit.stats.n_samples == 6_000_000
    np.testing.assert_allclose(np.sort(fit.params.means[:, 0]), [0, 2], atol=0.01)
    os.remove(folder / "large.npy")
