"""What an import brings along: of the mathematics NumPy and SciPy, of an estimator no pictures."""

import pkgutil
import subprocess
import sys

import latent_em
from latent_em import examples

ELSEWHERE = {"book", "estimators", "grading", "plotting"}
MODULES = [
    *(f"latent_em.{m.name}" for m in pkgutil.iter_modules(latent_em.__path__)),
    *(f"latent_em.examples.{m.name}" for m in pkgutil.iter_modules(examples.__path__)),
]
MODULES = [module for module in MODULES if module.split(".")[1] not in ELSEWHERE]


def brought_along(statement):
    """Top-level packages that a fresh interpreter has loaded after the statement."""
    program = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_the_mathematics_loads_neither_estimators_nor_pictures():
    assert {"latent_em.em", "latent_em.lda", "latent_em.examples.coins"} <= set(MODULES)
    loaded = brought_along(f"import {', '.join(MODULES)}")
    assert "scipy" in loaded
    assert not loaded & {"sklearn", "joblib", "matplotlib", "pandas", "sympy", "dask"}


def test_an_estimator_loads_no_pictures_and_no_algebra():
    loaded = brought_along("from latent_em import GaussianMixture; GaussianMixture()")
    assert "sklearn" in loaded
    assert not loaded & {"matplotlib", "sympy", "dask"}
