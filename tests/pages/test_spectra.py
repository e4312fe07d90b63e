"""The Spectra page on real caches, in every state that it can be in."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import queries
from data_cache.ingest import ingest
from data_cache.location import database_path
from data_cache.runs import write_sidecar
from data_cache.store import writer
from pages.widgets import state
from tests.pages.caches import build_cache, write_run
from tests.pages.spectra import ideal_records, record

ROOT = Path(__file__).parents[2]
APP = str(ROOT / "app.py")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/spectra.py").run()
    assert not app.exception, app.exception
    return app


@contextmanager
def held_by_another_process(cache: Path) -> Iterator[None]:
    """A writer in a process of its own has the database open."""
    code = (
        "import sys; from pathlib import Path; from data_cache.store import writer\n"
        "with writer(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(cache)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"open\n"
        yield
        process.stdin.close()


def words(app: AppTest) -> str:
    """All text on the page that is no chart or table."""
    kinds = ("title", "subheader", "caption", "text", "code", "markdown", "info", "error")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def charts(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_a_missing_cache_is_explained_with_the_command_that_fills_it(cache: Path) -> None:
    page = words(open_page())
    assert "Nothing to show yet" in page
    assert f"{cache} is not there yet" in page
    assert "-m model_runners demo load" in page
    assert f"--cache {cache}" in page
    assert not cache.exists(), "reading must not create anything"


@pytest.mark.parametrize("has_database", [False, True])
def test_a_folder_without_a_run_is_explained_in_the_same_way(
    cache: Path, *, has_database: bool
) -> None:
    cache.mkdir()
    if has_database:
        with writer(cache):
            pass
    page = words(open_page())
    assert "demo load" in page
    assert f"{cache} holds no run yet" in page


def test_predictions_without_an_estimate_name_the_command(cache: Path) -> None:
    write_run(cache, "demo/oracle")
    ingest(cache)
    page = words(open_page())
    assert "estimate --model demo/oracle --benchmark digits_vqa --by subset" in page


def test_a_cache_from_a_newer_pidscope_is_one_sentence(cache: Path) -> None:
    build_cache(cache, [record()])
    with writer(cache) as connection:
        connection.execute("UPDATE cache_schema SET version = 99")
    page = words(open_page())
    assert "newer PIDscope" in page
    assert "Traceback" not in page


def test_a_file_where_the_cache_should_be_is_one_sentence(cache: Path) -> None:
    cache.write_text("not a folder")
    assert "is a file, not a folder" in words(open_page())


def test_a_file_that_is_no_database_is_one_sentence(cache: Path) -> None:
    cache.mkdir()
    database_path(cache).write_bytes(b"not a database" * 1000)
    page = words(open_page())
    assert "rebuild" in page


def test_every_record_has_its_bar_and_its_row_in_the_table(cache: Path) -> None:
    records = ideal_records(("demo/a", "demo/b"))
    build_cache(cache, records)
    app = open_page()
    bars = [trace for trace in charts(app)[0]["data"] if trace.get("customdata")]
    assert len(bars[0]["y"]) == len(records)
    assert len(app.dataframe[0].value) == len(records)
    assert list(app.dataframe[0].value["Synergy (bits)"]).count(2.0) == 2


def test_the_address_decides_what_is_shown(cache: Path) -> None:
    build_cache(cache, ideal_records(("demo/a", "demo/b")))
    app = open_page(unit="shares", models="demo/b", bars="separate")
    assert list(app.dataframe[0].value["Model"].unique()) == ["demo/b"]
    assert "Synergy (%)" in app.dataframe[0].value
    assert charts(app)[0]["layout"]["barmode"] == "group"


def test_an_address_that_names_nothing_known_falls_back(cache: Path) -> None:
    build_cache(cache, [record()])
    app = open_page(benchmark="../../etc/passwd", unit="miles", estimator="none", split="x")
    assert len(app.dataframe[0].value) == 1


def test_choosing_shares_changes_table_and_chart(cache: Path) -> None:
    build_cache(cache, [record("mixed", atoms=(0.1, 0.2, 0.3, 0.4))])
    app = open_page()
    app.segmented_control(key="unit").set_value("shares").run()
    assert not app.exception
    assert app.dataframe[0].value["Synergy (%)"][0] == pytest.approx(40)


def test_a_model_without_an_estimate_is_named_beside_those_that_have_one(cache: Path) -> None:
    write_run(cache, "demo/new")
    build_cache(cache, [record()])
    ingest(cache)
    page = words(open_page())
    assert "estimate --model demo/new" in page


def test_nothing_selected_is_said(cache: Path) -> None:
    build_cache(cache, [record()])
    app = open_page()
    app.multiselect(key="models").set_value([]).run()
    assert not app.exception
    assert "Nothing is selected" in words(app)


def test_another_benchmark_shows_its_own_models(cache: Path) -> None:
    build_cache(cache, [record(model="demo/a"), record(model="demo/b", benchmark="other")])
    app = open_page()
    assert list(app.dataframe[0].value["Model"]) == ["demo/a"]
    app.selectbox(key="benchmark").set_value("other").run()
    assert not app.exception
    assert list(app.dataframe[0].value["Model"]) == ["demo/b"]


def test_the_newest_estimate_is_shown_and_others_can_be_chosen(cache: Path) -> None:
    old = record(settings={"tau": 0.0}, atoms=(2.0, 0, 0, 0), created="2026-01-01T00:00:00+00:00")
    build_cache(cache, [record(settings={"tau": 0.3}), old])
    app = open_page()
    assert list(app.dataframe[0].value["Synergy (bits)"]) == [2.0]
    app.selectbox(key="settings").set_value("tau 0.0").run()
    assert list(app.dataframe[0].value["Redundancy (bits)"]) == [2.0]


def test_new_estimates_appear_without_a_restart(cache: Path) -> None:
    build_cache(cache, [record("synergy")])
    app = open_page()
    build_cache(cache, [record("vision")])
    app.run()
    assert len(app.dataframe[0].value) == 2


def test_a_split_or_estimator_that_others_lack_does_not_empty_the_page(cache: Path) -> None:
    build_cache(
        cache,
        [
            record(model="demo/a", split="train", estimator="ipfp"),
            record(model="demo/a", split="test"),
            record(model="demo/b", split="test"),
        ],
    )
    app = open_page()
    app.segmented_control(key="split").set_value("train").run()
    assert list(app.dataframe[0].value["Model"]) == ["demo/a"]
    app.multiselect(key="models").set_value(["demo/b"]).run()
    assert not app.exception
    assert list(app.dataframe[0].value["Model"]) == ["demo/b"]


def test_a_busy_cache_is_said_and_what_was_read_before_stays(cache: Path) -> None:
    build_cache(cache, [record("synergy")])
    app = open_page()
    build_cache(cache, [record("vision")])
    with held_by_another_process(cache):
        assert "is being written to" in words(open_page())
        app.run()
        assert not app.exception
        assert "showing what it held" in words(app)
        assert len(app.dataframe[0].value) == 1
    app.run()
    assert "showing what it held" not in words(app)
    assert len(app.dataframe[0].value) == 2


def test_text_from_data_is_never_markup(cache: Path) -> None:
    build_cache(
        cache,
        [
            record(
                "![x](http://example.org/x.png)",
                model="<img src=http://example.org/y.png>",
                atoms=(1.0, 0, 0, 0),
                warnings=("[click](http://example.org)",),
            )
        ],
    )
    app = open_page()
    for element in app.get("markdown"):
        assert "example.org" not in str(element.value)
    assert "<img" not in json.dumps([chart["data"] for chart in charts(app)])


def test_the_self_tests_of_the_runs_behind_the_bars_are_shown(cache: Path) -> None:
    (run,) = queries.runs(build_cache(cache, ideal_records(("model-a",))))
    check = {"name": "padding", "value": 0.2, "limit": 1e-4, "passed": False, "meaning": ""}
    report = {"model": "model-a", "passed": False, "checks": [check]}
    write_sidecar(cache, run.run_key, run.config, self_test=report)
    ingest(cache)
    app = open_page()
    assert "Self-tests of the masking (0 of 1 passed)" in {one.label for one in app.expander}
    app.session_state[state.SELF_TESTS_OPEN] = True
    app.run()
    shown = "\n".join(frame.value.to_string() for frame in app.dataframe)
    assert "padding of a batch changes nothing" in shown
    assert "0.2, at most 0.0001" in shown


def test_benchmarks_of_one_model_are_rows(cache: Path) -> None:
    ideal = [record(subset, benchmark=name) for name in ("one", "two") for subset in ("all", "x")]
    build_cache(cache, [*ideal, record(model="demo/b", benchmark="one")])
    app = open_page(rows="benchmarks", model="demo/oracle")
    assert list(app.dataframe[0].value["Benchmark"]) == ["one", "two"]
    assert set(app.dataframe[0].value["Subset"]) == {"All subsets, pooled"}
    app.segmented_control(key="breakdown").set_value("subsets").run()
    assert list(app.dataframe[0].value["Subset"]) == ["x", "All subsets, pooled"] * 2
    app.multiselect(key="benchmarks").set_value(["two"]).run()
    assert not app.exception
    assert set(app.dataframe[0].value["Model"]) == {"demo/oracle"}
    assert len(app.dataframe[0].value) == 2


def test_a_benchmark_without_a_fitting_spectrum_is_named(cache: Path) -> None:
    build_cache(cache, [record(benchmark="one"), record(benchmark="two", split="train")])
    app = open_page(rows="benchmarks")
    assert list(app.dataframe[0].value["Samples"]) == [352]
    assert "demo/oracle: no spectrum of this kind on two." in words(app)


def test_rows_are_sorted_by_what_was_asked(cache: Path) -> None:
    models = ("demo/a", "demo/b", "demo/c")
    records = [
        record("x", model=model, atoms=(0.1, 0, 0, bits))
        for model, bits in zip(models, (0.5, 1.5, 1.0), strict=True)
    ]
    build_cache(cache, records, parameters={"demo/a": 5, "demo/c": 9})
    assert list(open_page(order="Synergy").dataframe[0].value["Model"]) == [
        *("demo/b", "demo/c", "demo/a")
    ]
    app = open_page(order="Size (parameters)", first="lowest")
    assert list(app.dataframe[0].value["Model"]) == ["demo/a", "demo/c", "demo/b"]
    assert "order “colour”" in words(open_page(order="colour"))


def test_two_estimators_stand_side_by_side_with_their_difference(cache: Path) -> None:
    first = [record(subset, atoms=(0.5, 0.5, 0.5, 0.5)) for subset in ("x", "y")]
    second = record("x", atoms=(0.4, 0.5, 0.5, 0.9), estimator="batch", n=100)
    build_cache(cache, [*first, second])
    assert len(open_page().dataframe[0].value) == 2
    app = open_page(beside="batch")
    assert list(app.dataframe[0].value["Estimator"]) == ["certified", "batch", "certified"]
    (synergy,) = [trace for trace in charts(app)[1]["data"] if trace.get("name") == "Synergy"]
    assert synergy["x"] == pytest.approx([0.4])
    assert "demo/oracle, x (352 and 100)" in words(app)
    assert "No estimate by batch: demo/oracle, y." in words(app)
    assert "--by subset --estimator batch --split test" in words(app)


def test_one_subset_can_be_looked_at_over_all_models(cache: Path) -> None:
    build_cache(cache, ideal_records(("demo/a", "demo/b")))
    app = open_page(only="vision")
    assert list(app.dataframe[0].value["Model"]) == ["demo/a", "demo/b"]
    assert set(app.dataframe[0].value["Subset"]) == {"vision"}


def test_many_subsets_are_pooled_at_first(cache: Path) -> None:
    names = [f"ability {number}" for number in range(14)]
    build_cache(cache, [record(subset) for subset in ("all", *names)])
    app = open_page()
    assert list(app.dataframe[0].value["Subset"]) == ["All subsets, pooled"]
    app.selectbox(key="only").set_value("every subset").run()
    assert len(app.dataframe[0].value) == 15
