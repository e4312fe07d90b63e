"""What is missing in the matrix becomes one plan, asked as the benchmark was before."""

import dataclasses
from pathlib import Path

import pytest

from data_cache import jobs
from data_cache.cells import cells
from data_cache.coverage import coverage
from data_cache.ingest import ingest
from data_cache.queries import runs
from pages.widgets import state
from pages.widgets.missing_cells import missing, plan_of_cells
from tests.pages.caches import write_run
from tests.pages.test_overview import open_app, words


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models here and one that is not; the second benchmark is measured of one alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    for model in ("demo/oracle", "demo/fusion-small", "somebody/elsewhere"):
        write_run(folder, model)
    write_run(folder, "demo/oracle", "pope:random")
    ingest(folder)
    return folder


def test_only_cells_that_can_be_measured_here_are_offered(cache: Path) -> None:
    app = open_app()
    assert "Run what is missing (1 cell)" in [window.label for window in app.expander]
    app.session_state[state.MISSING_OPEN] = True
    app.run()
    assert not app.exception
    (button,) = [one for one in app.button if one.key == "start_missing"]
    assert button.label == "Run 1 cell"
    assert app.multiselect(key=state.MISSING_MODELS).options == ["demo/fusion-small"]
    assert app.multiselect(key=state.MISSING_BENCHMARKS).options == ["pope:random"]
    button.click()
    app.run()
    # POPE's file is not on this machine: said before anything starts.
    assert "the plan cannot be carried out" in words(app)
    assert jobs.jobs(cache) == []


def test_a_cell_is_asked_as_the_newest_run_on_its_benchmark(cache: Path) -> None:
    found = missing(cells(runs(cache), coverage(cache), ()))
    assert [(cell.model, cell.benchmark) for cell in found] == [
        ("demo/fusion-small", "pope:random")
    ]
    (asked,) = [run for run in runs(cache) if run.benchmark == "pope:random"]
    own = dataclasses.replace(
        asked, environment={"asked": {"benchmark": "pope:random", "data": "/data/POPE.tsv"}}
    )
    plan = plan_of_cells(found, [own], split="test", draws=2, layers=True)
    assert plan is not None
    (cell,) = plan.cells
    assert (cell.model, cell.data, cell.draws, cell.layers) == (
        "demo/fusion-small", "/data/POPE.tsv", 2, True
    )  # fmt: skip
    assert plan_of_cells([], [own], split="test", draws=2, layers=True) is None
