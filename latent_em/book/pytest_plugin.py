"""Pytest plugin: under ``--nbval`` every cell must have been executed and must be compared.

By itself nbval passes a cell that was never executed, so a notebook stripped of its outputs is
green, and so is a cell that a comment or tag takes out of the comparison. The points of exercises
are in `latent_em.grading.points`. Without ``--nbval``, and for notebooks that do not belong to the
book, this plugin does nothing.
"""

import pytest


def pytest_configure(config):
    """Load what runs and grades notebooks only if notebooks are to be run."""
    if config.getoption("nbval", default=False):
        import nbval.plugin

        from latent_em.grading import kernel, points

        nbval.plugin.RunningKernel = kernel.start
        config.pluginmanager.register(points.Points(config), "latent_em_points")


def pytest_collectstart(collector):
    """Compare a drawing no more than a picture: its last digits differ between machines."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("image/svg+xml",)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run the cell as ever, so that later cells find its variables; then fail it if it must."""
    problem = _problem(item) if hasattr(item, "cell") else ""
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
    plugin = item.config.pluginmanager.get_plugin("latent_em_points")
    if plugin is None or not plugin.must_be_executed(item) or not item.cell.source.strip():
        return ""
    if item.options["skip"] or not item.options["check"]:
        return "A comment or tag keeps nbval from comparing this cell: remove it"
    if item.cell.execution_count is None:
        return "This cell was never executed: run `make execute`, or all cells in Jupyter, and save"
    return ""
