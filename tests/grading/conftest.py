"""A small book: the model exercises, cut to four checks, with their stored outputs."""

import json
from pathlib import Path

import grading_suite as suite
import nbformat
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cut():
    """The notebook of the small book."""
    path = ROOT / "book" / "exercises" / f"{suite.NAME}.ipynb"
    return suite.cut(nbformat.read(path, as_version=4))


@pytest.fixture(scope="session")
def book(cut, tmp_path_factory):
    """The folder ``book`` of the small book."""
    folder = tmp_path_factory.mktemp("root") / "book"
    (folder / "exercises").mkdir(parents=True)
    (folder / "course.toml").write_text("practice = []\n")
    (folder / "exercises" / f"{suite.NAME}.ipynb").write_text(json.dumps(cut))
    return folder
