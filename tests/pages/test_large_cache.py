"""The made-up cache reads as one that was measured: counts, answers and spectra fit together."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from data_cache import estimates, queries
from data_cache.cells import cells
from data_cache.coverage import coverage
from data_cache.image_store import original
from data_cache.location import ENVIRONMENT_VARIABLE
from data_cache.samples_view import SampleOrder, sample_page
from tests.pages.large_cache import (
    BENCHMARK_BY_LAYER,
    LAYERED_DEPTH,
    Scale,
    build_large_cache,
    chosen_models,
)
from tests.pages.test_spectra import APP

TWO = Scale(models=2, share=0.02, draws=2, layered=1, pictures=3)
"""The second of these models has 28 layers."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_large_cache(tmp_path_factory.mktemp("large") / "cache", TWO)


def test_every_cell_is_whole_and_its_spectra_took_all_samples(cache: Path) -> None:
    found = cells(queries.runs(cache), coverage(cache), estimates.load(cache))
    assert len(found) == 2 * 6
    assert {(cell.share, cell.is_whole, cell.spectra) for cell in found} == {(1.0, True, "current")}
    assert [cell.inner_layers for cell in found if cell.layers_with_spectra] == [LAYERED_DEPTH]


def test_accuracy_is_that_of_the_stored_answers(cache: Path) -> None:
    record = estimates.load(cache, benchmarks=["mmbench"], subsets=["all"], split="all")[0]
    order = SampleOrder(estimate_keys=(record.estimate_key,), order_by="position")
    page = sample_page(cache, order, limit=500)
    assert page.total == record.n == len(page.rows)
    assert sum(row.correct for row in page.rows) / record.n == pytest.approx(record.accuracy)
    mean = sum(row.numbers["synergy"] or 0.0 for row in page.rows) / record.n
    assert mean == pytest.approx(record.synergy)


def test_probabilities_of_the_options_are_at_most_one_together(cache: Path) -> None:
    run = queries.runs(cache)[0]
    held = queries.predictions(cache, run.run_key, draws=2)
    assert len(held.sample_ids) == run.n_samples
    assert max(np.exp(scores).sum(axis=2).max() for scores in held.scores.values()) < 1.0
    assert run.draws == TWO.draws


def test_pictures_have_originals(cache: Path) -> None:
    run = queries.runs(cache)[0]
    (sample,) = queries.samples(cache, run.benchmark_key, [f"{run.benchmark}-00000"])
    raw = original(cache, sample.images[0])
    small = sample.thumbnails[0]
    assert raw is not None
    assert small is not None
    assert len(raw) > len(small)


def test_the_whole_study_has_26_models_and_six_of_28_layers() -> None:
    models = chosen_models(26)
    assert len({name for name, _ in models}) == 26
    assert len({entry.family for _, entry in models}) == 11
    assert sum(entry.layers == LAYERED_DEPTH for _, entry in models) == 6


def test_models_with_layers_are_one_click_away_from_those_without(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (plain,) = {name for name, one in chosen_models(2) if one.layers != LAYERED_DEPTH}
    (layered,) = {name for name, one in chosen_models(2) if one.layers == LAYERED_DEPTH}
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(cache))
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["models"] = plain
    app.query_params["benchmark"] = BENCHMARK_BY_LAYER
    app.switch_page("pages/layers.py").run()
    assert not app.get("plotly_chart")
    app.button(key="models_with_layers").click().run()
    assert not app.exception
    assert app.multiselect(key="models").value == [layered]
    assert app.get("plotly_chart")
