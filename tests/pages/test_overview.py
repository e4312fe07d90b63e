"""The Overview page on real caches: what is there, what is at work, and what can be done next."""

import json
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs
from data_cache.estimates import save
from data_cache.ingest import ingest
from pages.widgets import state
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum
from tests.pages.caches import build_cache, write_run
from tests.pages.spectra import ideal_records, record

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_app(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.session_state[state.COVERAGE_TABLE_OPEN] = True
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def words(app: AppTest) -> str:
    kinds = ("title", "subheader", "caption", "text", "code", "markdown", "info", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def cells(app: AppTest) -> list[list[object]]:
    (chart,) = app.get("plotly_chart")
    return json.loads(chart.proto.spec)["data"][-1]["customdata"]


def table(app: AppTest) -> dict[tuple[str, str], dict[str, object]]:
    rows = app.dataframe[0].value.to_dict("records")
    return {(row["Model"], row["Benchmark"]): row for row in rows}


def test_an_empty_cache_gets_the_demo_by_one_click(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = cache.parent / "shipped"
    write_run(shipped, "demo/oracle")
    monkeypatch.setattr("data_cache.shipped.DEMO_DIRECTORY", shipped)
    app = open_app()
    assert "Nothing to show yet" in words(app)
    assert f"demo load --cache {cache}" in words(app)
    assert not cache.exists(), "looking must not create anything"
    app.button(key="load_demo").click().run()
    assert not app.exception
    assert cells(app) == [["demo/oracle", "digits_vqa", True]]


def test_every_model_on_every_benchmark_has_a_cell(cache: Path) -> None:
    build_cache(cache, [record(model="demo/a"), record(model="demo/b", benchmark="other")])
    app = open_app()
    assert app.title[0].value == "Overview"
    assert "estimate --model" not in words(app), "nothing is lacking"
    assert sorted(cells(app)) == [
        ["demo/a", "digits_vqa", True],
        ["demo/a", "other", False],
        ["demo/b", "digits_vqa", False],
        ["demo/b", "other", True],
    ]
    rows = table(app)
    assert rows["demo/a", "digits_vqa"]["Spectra"] == 1
    assert rows["demo/b", "digits_vqa"]["Notes"] == "not measured"


def test_a_partial_run_and_spectra_left_behind_are_marked(cache: Path) -> None:
    benchmark = small_benchmark(100)
    key = profile(cache, benchmark, limit=40)
    save(cache, spectrum(key), pointwise_rows())
    app = open_app()
    (row,) = table(app).values()
    assert "estimate --model demo/oracle --benchmark small --by subset" in words(app)
    known = sum(sample.split == "test" for sample in benchmark.samples[:64])
    assert (row["Test"], row["of test"]) == (30, known)
    assert row["Notes"] == "measured in part; spectra of fewer samples than measured"


def test_a_job_is_marked_and_listed_at_work_and_when_it_has_stopped(cache: Path) -> None:
    write_run(cache, "demo/oracle")
    ingest(cache)
    request = {"model": "demo/oracle", "benchmark": "digits_vqa"}
    key = jobs.open_or_create(cache, "profile", request, "demo/oracle on digits_vqa").job_key
    assert jobs.claim(cache, key)
    jobs.report(cache, key, 128, 352, 10.0, "", pid=os.getpid())
    app = open_app()
    assert "at work" in str(table(app)["demo/oracle", "digits_vqa"]["Notes"])
    assert "128 of 352 samples" in str([bar.proto.text for bar in app.get("progress")])
    jobs.finish(cache, key, "cancelled")
    app.run()
    assert "One cell: the last job has stopped before its end." in words(app)
    assert "stopped" in str(table(app)["demo/oracle", "digits_vqa"]["Notes"])


def test_the_newest_runs_come_first_and_lead_to_their_spectra(cache: Path) -> None:
    build_cache(cache, ideal_records(("demo/a", "demo/b")))
    app = open_app()
    (button, *_) = [one for one in app.button if one.key and one.key.startswith("newest_")]
    app.button(key=button.key).click().run()
    assert not app.exception
    assert app.title[0].value == "Spectra"
    assert len(app.multiselect(key="models").value) == 1


def test_an_address_from_when_spectra_came_first_opens_spectra(cache: Path) -> None:
    build_cache(cache, ideal_records(("demo/a", "demo/b")))
    app = open_app(models="demo/b", unit="shares")
    assert app.title[0].value == "Spectra"
    assert app.multiselect(key="models").value == ["demo/b"]
    assert app.segmented_control(key="unit").value == "shares"


def test_what_is_chosen_in_the_sidebar_outlives_the_overview(cache: Path) -> None:
    build_cache(cache, ideal_records(("demo/a", "demo/b")))
    app = open_app().switch_page("pages/spectra.py").run()
    app.multiselect(key="models").set_value(["demo/b"]).run()
    app.switch_page("pages/overview.py").run()
    assert not app.multiselect
    app.switch_page("pages/spectra.py").run()
    assert app.multiselect(key="models").value == ["demo/b"]


def test_a_cell_that_is_not_measured_prepares_its_run(cache: Path) -> None:
    def clicked() -> None:
        from pages.widgets.coverage_view import prepare_run

        prepare_run("demo/oracle", "pope:popular")

    build_cache(cache, [record(model="demo/a")])
    prepared = AppTest.from_function(clicked).run().session_state
    app = open_app()
    for key in (state.GOING, state.RUN_MODEL, state.RUN_BENCHMARK):
        app.session_state[key] = prepared[key]
    app.run()
    assert not app.exception
    assert app.title[0].value == "Run"
    assert app.selectbox(key="run_model").value == "demo/oracle"
    assert app.selectbox(key="run_benchmark").value == "pope"
