"""The Estimator lab on real estimators: from the bank, from a cached run, and without a cache."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.ingest import ingest
from data_cache.location import run_directory
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from pages.widgets.lab_choices import KINDS, RUN
from pages.widgets.lab_rows import workbench
from tests.data_cache.spools import config_of, profile, rows_of, small_benchmark
from tests.pages.test_spectra import APP, charts, words

MODEL = "demo/soft"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    workbench.clear()
    return folder


@pytest.fixture
def run(cache: Path) -> Path:
    """A cache with one run of 64 samples."""
    profile(cache, small_benchmark(64), model=MODEL, draws=1, mask_scope="all")
    ingest(cache)
    return cache


def open_lab(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/lab.py").run()
    assert not app.exception, app.exception
    return app


def press(app: AppTest, key: str = "lab_run") -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, app.exception
    return app


def test_without_a_cache_a_gate_is_solved_to_its_truth(cache: Path) -> None:
    app = open_lab(problem="and")
    assert not charts(app)
    app = press(app)
    (table,) = (one.value for one in app.dataframe)
    assert table["Estimator"].tolist() == ["certified"]
    assert table["Redundancy (bits)"].tolist() == [0.3113]
    assert table["Error (bits)"].tolist() == ["0"]
    assert "truth" in str(charts(app)[0]["data"])
    assert "the exact value lies within 0.0001 bits, proven. Take this one." in words(app)
    assert "R - S = 0 does not mean" in words(app)
    assert not cache.exists()


def test_what_is_computed_is_not_computed_again(cache: Path) -> None:
    app = press(open_lab(problem="copy"))
    assert "lab_run" not in [button.key for button in app.button]
    app.multiselect(key="estimators").set_value(["certified", "ipfp"]).run()
    assert app.button(key="lab_run").label == "Compute 1 estimate"
    assert len(press(app).dataframe[0].value) == 2
    again = open_lab(problem="copy", estimators=["certified", "ipfp"])
    assert len(again.dataframe[0].value) == 2


def test_published_numbers_stand_beside_and_policies_are_compared(cache: Path) -> None:
    app = press(open_lab(lab="skewed priors", problem="text-always-a"))
    table = app.dataframe[0].value
    assert table["Estimator"].tolist() == [
        "certified, calibrate",
        "certified, reference",
        "batch_reference, published",
    ]
    assert table["Method"].tolist()[-1] == "published"
    assert "it counts a difference of habits as information" in words(app)
    assert app.expander


def test_a_family_is_what_its_sliders_say_and_its_draws_are_not_held_against_the_solver(
    cache: Path,
) -> None:
    app = open_lab(lab="synthetic family", r="0.5", u1="0.4", u2="0.0", s="0.5", n="64", seed="3")
    assert "R 0.50, U1 0.40, U2 0.00, S 0.50 bits" in words(app)
    table = press(app).dataframe[0].value
    assert table["Redundancy (bits)"][0] == pytest.approx(0.5, abs=0.2)
    assert "that is what 64 draws of it leave open" in words(app)


def test_a_cached_run_without_a_cache_is_answered_with_the_command(cache: Path) -> None:
    assert "demo load" in words(open_lab(lab=RUN))


def test_a_cached_run_is_estimated_and_nothing_of_it_is_stored(run: Path) -> None:
    app = press(open_lab(lab=RUN, subset="left"))
    (table,) = (one.value for one in app.dataframe)
    assert "Error (bits)" not in table
    assert "Nobody knows the atoms of a model" in words(app)
    again = AppTest.from_file(APP, default_timeout=60).switch_page("pages/spectra.py").run()
    assert "no estimate yet" in words(again)


def test_a_setting_of_a_run_is_varied(run: Path) -> None:
    app = open_lab(lab=RUN, subset="left", over="clusters")
    app = press(app, "lab_vary_clusters")
    table = app.dataframe[-1].value
    assert table["Estimator"].tolist() == ["ipfp, 16", "ipfp, 64", "ipfp, 256"]
    assert "ipfp: " in words(app)
    assert len(charts(app)[-1]["data"]) == 4


def test_a_scope_that_was_not_run_is_answered_with_the_command(run: Path) -> None:
    page = words(open_lab(lab=RUN, subset="left", over="mask scope"))
    assert f"profile --model {MODEL} --benchmark small --mask-scope question" in page


def test_estimators_that_cannot_run_are_not_offered_and_say_why(cache: Path) -> None:
    benchmark = small_benchmark(16)
    config = config_of(benchmark, model=MODEL)
    key = run_key(config)
    plan = ChunkPlan(
        run_key=key, index=0, sample_ids=tuple(one.id for one in benchmark.samples), draws=1
    )
    options = {one.id: len(one.options) for one in benchmark.samples}
    write_sidecar(cache, key, config)
    write_samples(cache, benchmark, range(len(benchmark.samples)))
    write_chunk(run_directory(cache, key), plan, rows_of(plan, options, features=False))
    ingest(cache)
    app = open_lab(lab=RUN)
    assert app.multiselect(key="estimators").options == ["certified"]
    assert "Not possible here: ipfp, " in words(app)
    assert "needs embeddings, and this run has stored none" in words(app)


def test_without_an_estimator_the_page_asks_for_one(cache: Path) -> None:
    app = open_lab()
    app.multiselect(key="estimators").set_value([]).run()
    assert not app.exception
    assert "Choose at least one estimator." in words(app)


def test_an_address_that_names_nothing_known_falls_back_and_says_so(cache: Path) -> None:
    app = open_lab(lab="oracle bone", problem="nand")
    assert "lab “oracle bone”, problem “nand”" in words(app)
    assert app.selectbox(key="lab").value == KINDS[0]


def test_every_kind_of_problem_opens(run: Path) -> None:
    app = open_lab()
    for kind in KINDS:
        app.selectbox(key="lab").set_value(kind).run()
        assert not app.exception
        assert app.button(key="lab_run")
