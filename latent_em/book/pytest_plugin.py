"""Pytest plugin: under ``--nbval`` every cell must have been executed and must be compared.

By itself nbval passes a cell that was never executed, so a notebook stripped of its outputs is
green, and so is a cell that a comment or tag takes out of the comparison. Without ``--nbval``
this plugin does nothing.
"""

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run the cell as ever, so that later cells find its variables; then fail it if it must."""
    if not item.config.getoption("nbval", default=False) or not hasattr(item, "cell"):
        return (yield)
    problem = _problem(item)
    try:
        result = yield
    except pytest.skip.Exception:
        if not problem:
            raise
        result = None
    if problem:
        item.raise_cell_error(problem)
    return result


def _problem(item) -> str:
    if not item.cell.source.strip():
        return ""
    if item.options["skip"] or not item.options["check"]:
        return "A comment or tag keeps nbval from comparing this cell: remove it"
    if item.cell.execution_count is None:
        return "This cell was never executed: run `make execute`, or all cells in Jupyter, and save"
    return ""
