"""The Sensory page: atoms by their sources, each medium's worth, and what it says without any."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.estimates import SpectrumRecord
from pages.figures.palette import atoms_of
from pages.figures.sensory_plane import sensory_plane
from pages.widgets.sensory_table import as_frame
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, words

SENSORY = {"sources": "video-audio", "given": "template"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def sensory(subset: str, **changes: Any) -> SpectrumRecord:
    told = record(subset, **changes)
    by_condition = {**told.accuracy_by_condition, "no_audio": 0.59}
    return record(
        subset,
        **changes,
        settings={**told.settings, **SENSORY},
        accuracy_by_condition=by_condition,
        diagnostics={"conditions": {"a": 200, "b": 152}},
    )


def open_sensory() -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/sensory.py").run()
    assert not app.exception, app.exception
    return app


def test_without_a_sensory_run_the_page_names_the_command(cache: Path) -> None:
    build_cache(cache, [record("synergy")])
    assert "--sources video-audio" in words(open_sensory())


def test_bars_are_called_by_their_sources_and_the_table_has_what_each_medium_is_worth(
    cache: Path,
) -> None:
    build_cache(cache, [sensory("synergy"), sensory("redundant"), record("vision")])
    app = open_sensory()
    names = {trace["name"] for trace in charts(app)[0]["data"] if trace.get("name")}
    assert {"Unique video", "Unique audio"} <= names
    assert not any("vision" in name or "language" in name for name in names)
    table = app.dataframe[0].value
    assert set(table["Subset"]) == {"synergy", "redundant"}
    assert table["D_video (points)"].tolist() == pytest.approx([74.0, 74.0])
    assert table["D_audio (points)"].tolist() == pytest.approx([40.0, 40.0])
    assert table["Instructions"].tolist() == [2, 2]


def test_records_of_several_kinds_of_sources_keep_the_usual_names() -> None:
    assert [atom.label for atom in atoms_of([sensory("synergy")])][1:3] == [
        "Unique video",
        "Unique audio",
    ]
    mixed = [atom.label for atom in atoms_of([sensory("synergy"), record("vision")])]
    assert mixed[1:3] == ["Unique vision", "Unique language"]


def test_the_plane_has_a_point_per_model_and_subset_with_its_interval() -> None:
    from pages.figures.model_styles import model_styles

    rows = [sensory("synergy"), sensory("synergy", model="b", atoms=(0.0, 1.4, 0.1, 0.3))]
    figure = sensory_plane(rows, model_styles([one.model for one in rows]))
    points = [trace for trace in figure.data if trace.hovertext]
    assert [(trace.x[0], trace.y[0]) for trace in points] == [(0.0, 2.0), (1.4, 0.3)]
    assert points[1].error_y.array[0] == pytest.approx(0.04)


def test_a_medium_that_was_not_left_out_has_no_worth() -> None:
    table = as_frame([record("synergy")])
    assert table["D_audio (points)"].isna().all()
