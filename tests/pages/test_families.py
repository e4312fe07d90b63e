"""The Families page on real caches: points, arrows, medians, axes, and what it says without any."""

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data_cache.estimates import SpectrumRecord
from data_cache.ingest import ingest
from model_runners.family_statistics import correlations
from pages.figures.family_scatter import FAMILY
from pages.widgets import spectrum_table
from pages.widgets.family_correlations import clicked_axes
from tests.pages.caches import build_cache, write_run
from tests.pages.many_models import models
from tests.pages.sample_caches import build_samples
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, words

SIZES = {"org/a-1B": 1_000_000_000, "org/a-7B": 7_000_000_000, "org/b-2B": 2_000_000_000}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def two_families(**changes: Any) -> list[SpectrumRecord]:
    """Family A of two sizes and an adapted model, family B of one."""
    places = {
        "org/a-1B": ("A", 0.4, 0.2),
        "org/a-7B": ("A", 0.2, 0.6),
        "org/a-1B+pid-0123ab": ("A", 0.3, 0.5),
        "org/b-2B": ("B", 0.9, 0.1),
    }
    return [
        record("mixed", model=model, family=family, atoms=(0.1, 0.1, u2, s), **changes)
        for model, (family, u2, s) in places.items()
    ]


def open_families(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/families.py").run()
    assert not app.exception, app.exception
    return app


def points(app: AppTest) -> dict[str, tuple[float, float]]:
    """Place of every point that leads to samples, by the first line of what it says."""
    return {
        text.split("</b>")[0].removeprefix("<b>"): (x, y)
        for trace in charts(app)[0]["data"]
        if trace.get("customdata") and trace["customdata"][0][0] != FAMILY
        for x, y, text in zip(trace["x"], trace["y"], trace["hovertext"], strict=True)
    }


def test_without_a_cache_the_page_says_how_to_fill_it(cache: Path) -> None:
    assert "demo load" in words(open_families())


def test_predictions_without_an_estimate_name_the_command(cache: Path) -> None:
    write_run(cache, "demo/oracle")
    ingest(cache)
    assert "estimate --model demo/oracle" in words(open_families())


def test_every_model_is_a_point_of_synergy_over_unique_language(cache: Path) -> None:
    build_cache(cache, two_families(), parameters=SIZES)
    app = open_families()
    assert points(app) == {
        "org/a-1B": (0.4, 0.2),
        "org/a-7B": (0.2, 0.6),
        "org/a-1B+pid-0123ab": (0.3, 0.5),
        "org/b-2B": (0.9, 0.1),
    }
    layout = charts(app)[0]["layout"]
    assert layout["xaxis"]["title"]["text"] == "Unique language (bits)"
    assert layout["yaxis"]["title"]["text"] == "Synergy (bits)"


def test_the_median_and_the_arrow_leave_adapted_models_out(cache: Path) -> None:
    build_cache(cache, two_families(), parameters=SIZES)
    app = open_families()
    chart = charts(app)[0]
    medians = [trace for trace in chart["data"] if trace.get("name") == "median"]
    assert [(trace["x"], trace["y"]) for trace in medians] == [
        ([pytest.approx(0.3)], [pytest.approx(0.4)])
    ]
    arrows = chart["layout"]["annotations"]
    assert [(one["ax"], one["ay"], one["x"], one["y"]) for one in arrows] == [(0.4, 0.2, 0.2, 0.6)]
    assert "the median leaves them out" in words(app)


def test_one_model_alone_is_a_point_without_median_or_arrow(cache: Path) -> None:
    build_cache(cache, [record()], parameters={"demo/oracle": 388_736})
    app = open_families()
    assert list(points(app)) == ["demo/oracle"]
    assert not charts(app)[0]["layout"].get("annotations")
    assert "An arrow runs" not in words(app)


def test_models_whose_size_is_not_stored_are_named(cache: Path) -> None:
    build_cache(cache, two_families(), parameters={"org/a-1B": 1_000_000_000})
    page = words(open_families())
    assert "No size is stored for a-7B, b-2B" in page
    assert "An arrow runs" not in page


def test_the_address_decides_axes_and_unit(cache: Path) -> None:
    build_cache(cache, two_families())
    app = open_families(up="Accuracy", across="Synergy", unit="shares")
    assert points(app)["org/a-1B"] == (pytest.approx(25.0), 99)
    app.selectbox(key="across").set_value("Total").run()
    assert not app.exception
    assert points(app)["org/a-1B"][0] == pytest.approx(0.8)


def test_what_an_axis_does_not_know_is_named(cache: Path) -> None:
    build_cache(cache, [*two_families(d_vision=None), record("mixed", model="org/c")])
    app = open_families(across="D_vision")
    assert list(points(app)) == ["org/c"]
    assert "Not drawn, because Synergy or D_vision is not defined: a-1B" in words(app)


def test_an_address_that_names_nothing_known_falls_back_and_says_so(cache: Path) -> None:
    build_cache(cache, two_families())
    app = open_families(up="depth", across="<b>", subset="none")
    assert len(points(app)) == 4
    page = words(app)
    for wanted in ("up “depth”", "across “<b>”", "subset “none”"):
        assert wanted in page


def test_one_subset_is_shown_at_a_time(cache: Path) -> None:
    build_cache(cache, [record("synergy"), record("language"), record("all")])
    app = open_families()
    assert app.selectbox(key="subset").value == "all, pooled", "the whole benchmark comes first"
    app = open_families(subset="synergy")
    assert points(app) == {"demo/oracle": (0.0, 2.0)}
    app.selectbox(key="subset").set_value("language").run()
    assert points(app) == {"demo/oracle": (2.0, 0.0)}


def test_the_samples_page_takes_over_the_subset_that_is_shown(cache: Path) -> None:
    build_samples(cache, subsets=("all", "left", "right"), model="org/a")
    build_samples(cache, subsets=("all", "left", "right"), model="org/b")
    app = open_families(subset="right")
    app.session_state["_clicked"] = {"model": "org/b", "subset": "left"}
    app.run()
    assert not app.exception
    assert app.title[0].value == "Samples"
    assert (app.selectbox(key="model").value, app.selectbox(key="subset").value) == (
        "org/b",
        "left",
    )


def test_a_colour_stays_when_another_family_is_taken_away(cache: Path) -> None:
    build_cache(cache, two_families())
    app = open_families()

    def colour_of_b() -> str:
        traces = charts(app)[0]["data"]
        return next(one["marker"]["color"] for one in traces if one.get("name") == "B")

    before = colour_of_b()
    app.multiselect(key="models").set_value(["org/b-2B"]).run()
    assert not app.exception
    assert colour_of_b() == before


def test_a_model_without_an_estimate_is_named_with_the_command(cache: Path) -> None:
    build_cache(cache, two_families())
    write_run(cache, "org/new")
    ingest(cache)
    assert "estimate --model org/new" in words(open_families())


def test_nothing_selected_is_said(cache: Path) -> None:
    build_cache(cache, two_families())
    app = open_families()
    app.multiselect(key="models").set_value([]).run()
    assert not app.exception
    assert "Nothing is selected" in words(app)


def test_the_table_and_the_download_hold_families_and_sizes(cache: Path) -> None:
    build_cache(cache, two_families(), parameters=SIZES)
    frame = open_families().dataframe[0].value
    assert dict(zip(frame["Model"], frame["Family"], strict=True))["org/b-2B"] == "B"
    assert frame["Size (M parameters)"].dropna().tolist() == [1000, 7000, 2000]
    rows = two_families()
    content = spectrum_table.as_csv(rows, parameters={rows[0].run_key: 5})
    read = pd.read_csv(io.BytesIO(content))
    assert read["family"].tolist() == ["A", "A", "A", "B"]
    assert read["parameters"][0] == 5


CORRELATIONS, TASKS = "What goes with accuracy", "Tasks and regimes"


def dots(app: AppTest) -> dict[tuple[str, str], float]:
    """The rho of every outcome and part that is drawn."""
    return {
        (data[0], data[1]): rho
        for trace in charts(app)[0]["data"]
        for data, rho in zip(trace.get("customdata", ()), trace["x"], strict=False)
    }


def test_correlations_are_over_all_models_unless_those_of_the_sidebar_are_asked_for(
    cache: Path,
) -> None:
    records = models(9)
    build_cache(cache, records)
    app = open_families(show=CORRELATIONS)
    assert len(app.multiselect(key="models").value) < 9, "the sidebar begins with fewer"
    expected = {(one.outcome, one.part): one.found.rho for one in correlations(records)}
    assert dots(app) == pytest.approx(expected)
    app.segmented_control(key="among").set_value("chosen").run()
    assert not app.exception
    assert app.dataframe[0].value["Models"].tolist() == [8] * 18
    app.multiselect(key="hidden").set_value(["family 0"]).run()
    assert app.dataframe[0].value["Models"].tolist() == [6] * 18
    app.multiselect(key="models").set_value(["org/model-1", "org/model-2"]).run()
    assert not app.exception
    page = words(app)
    assert "A correlation over models needs at least 4 models; 2 models have a spectrum" in page
    assert not charts(app)


def test_published_correlations_stand_beside_ours_on_the_whole_benchmark_only(cache: Path) -> None:
    rows = [*models(6, benchmark="mmbench"), *models(6, benchmark="mmbench", subset="left")]
    build_cache(cache, rows)
    app = open_families(show=CORRELATIONS)
    names = [str(trace.get("name")) for trace in charts(app)[0]["data"]]
    assert {"published: Xiu26", "published: MI26"} <= set(names)
    assert "Xiu26 is published, not measured here" in words(app)
    app.selectbox(key="subset").set_value("left").run()
    assert not app.exception
    assert "not measured here" not in words(app)
    assert "Published rho" not in app.dataframe[0].value


def test_the_models_behind_a_correlation_stand_below_it(cache: Path) -> None:
    records = models(5)
    build_cache(cache, records)
    app = open_families(show=CORRELATIONS, up="D_vision", across="Co-information")
    behind = charts(app)[1]
    assert behind["layout"]["yaxis"]["title"]["text"] == "D_vision (points)"
    drawn = [
        x
        for trace in behind["data"]
        if trace.get("customdata") and trace["customdata"][0][0] != FAMILY
        for x in trace["x"]
    ]
    assert sorted(drawn) == pytest.approx(sorted(one.redundancy - one.synergy for one in records))
    click = {"selection": {"points": [{"customdata": ["accuracy_forced", "total"]}]}}
    assert clicked_axes(click) == ("Accuracy, forced choice", "Total")
    assert {"Accuracy, forced choice", "Total"} <= set(app.selectbox(key="up").options)


def test_tasks_are_benchmarks_with_their_regime_and_families_are_followed_between_them(
    cache: Path,
) -> None:
    build_cache(
        cache,
        [
            *models(8, benchmark="fuse"),
            *models(8, benchmark="know", lead="unique_2", seed=1),
            *models(2, benchmark="small"),
        ],
    )
    app = open_families(show=TASKS)
    frame = app.dataframe[0].value
    assert dict(zip(frame["Task"], frame["Regime"], strict=True)) == {
        "fuse": "synergy-driven",
        "know": "knowledge-driven",
        "small": "too few models",
    }
    assert len(charts(app)) == 2
    assert "Spearman's rho between the regimes" in words(app)
    app.multiselect(key="hidden").set_value(["family 0", "family 1"]).run()
    assert not app.exception
    assert app.dataframe[0].value["Models"].tolist() == [4, 4, 0]
    assert "2 have models under both regimes" in words(app)


def test_one_benchmark_is_divided_into_its_subsets(cache: Path) -> None:
    build_cache(cache, [*models(5), *models(5, subset="left", lead="unique_2")])
    app = open_families(show=TASKS)
    frame = app.dataframe[0].value
    assert dict(zip(frame["Task"], frame["Regime"], strict=True)) == {
        "left": "knowledge-driven",
        "All subsets, pooled": "synergy-driven",
    }


def test_two_models_are_too_few_for_tasks_and_the_page_says_so(cache: Path) -> None:
    build_cache(cache, models(2))
    page = words(open_families(show=TASKS))
    assert "A mean over models needs at least 4 models; 2 models have a spectrum" in page


def test_the_median_of_a_family_shows_it_alone_and_all_again() -> None:
    def clicked() -> None:
        import streamlit as st

        from pages.figures.family_scatter import FAMILY
        from pages.widgets.family_choices import show_only

        for data in (["0123"], [FAMILY, "B"]):
            st.session_state["plane"] = {"selection": {"points": [{"customdata": data}]}}
            show_only("plane", {"C", "A", "B"})

    app = AppTest.from_function(clicked).run()
    assert app.session_state["hidden"] == ["A", "C"]
    assert app.run().session_state["hidden"] == []
