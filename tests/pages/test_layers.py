"""The Layers page on real caches: trajectories, pickers, address, and what it says without any."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.ingest import ingest
from pages.widgets.layer_notes import layers_in_words
from tests.pages.caches import build_cache, write_run
from tests.pages.layers import layer_records, through_a_lens, trajectory
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, words

BOTH = ("demo/a", "demo/b")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_layers(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/layers.py").run()
    assert not app.exception, app.exception
    return app


def lines(app: AppTest, chart: int = 0) -> list[dict]:
    return [one for one in charts(app)[chart]["data"] if one.get("mode") == "lines+markers"]


def test_without_a_cache_the_page_says_how_to_fill_it(cache: Path) -> None:
    assert "demo load" in words(open_layers())


def test_a_model_without_layers_is_answered_with_the_command_that_makes_them(cache: Path) -> None:
    build_cache(cache, [record()])
    page = words(open_layers())
    assert "Not read layer by layer yet" in page
    command = "-m model_runners profile --model demo/oracle --benchmark digits_vqa --layers"
    assert f"{command} --cache {cache}" in page


def test_predictions_without_estimates_are_answered_in_the_same_way(cache: Path) -> None:
    write_run(cache, "demo/oracle")
    ingest(cache)
    assert "--layers" in words(open_layers())


def test_several_models_are_drawn_over_each_other(cache: Path) -> None:
    build_cache(cache, [one for model in BOTH for one in layer_records(model)])
    app = open_layers()
    assert len(lines(app, 0)) == 4 * len(BOTH)
    assert len(lines(app, 1)) == 2 * len(BOTH)
    assert "Not read layer by layer yet" not in words(app)


def test_layers_do_not_appear_among_the_spectra(cache: Path) -> None:
    build_cache(cache, layer_records())
    app = AppTest.from_file(APP, default_timeout=60).switch_page("pages/spectra.py").run()
    assert len(app.dataframe[0].value) == 1


def test_a_model_without_layers_is_named_beside_those_that_have_them(cache: Path) -> None:
    build_cache(cache, [*layer_records("demo/a"), record(model="demo/b")])
    app = open_layers()
    assert len(lines(app)) == 4
    assert "1 of the chosen models" in str([one.label for one in app.expander])
    command = "profile --model demo/b --benchmark digits_vqa --layers"
    assert command not in words(app), "what is folded away is not drawn"
    app.session_state["missing_layers_open"] = True
    assert command in words(app.run())


def test_layers_with_other_settings_do_not_join_a_trajectory(cache: Path) -> None:
    other = record(layer=2, settings={"tau": 0.0})
    build_cache(cache, [record(), other])
    assert "Not read layer by layer yet" in words(open_layers())


def test_a_colour_stays_when_another_model_is_taken_away(cache: Path) -> None:
    build_cache(cache, [one for model in BOTH for one in layer_records(model)])
    app = open_layers()
    before = lines(app)[1]["line"]["color"]
    app.multiselect(key="models").set_value(["demo/b"]).run()
    assert not app.exception
    assert lines(app)[0]["line"]["color"] == before


def test_layers_that_say_nothing_are_named(cache: Path) -> None:
    build_cache(cache, layer_records())
    page = words(open_layers())
    assert "more than 90% of the samples" in page
    assert "demo/oracle: layer 0" in page
    assert "reads no answer in the first" not in page, "the lens reads the layers behind it"


def test_the_subset_can_be_chosen_and_the_address_decides(cache: Path) -> None:
    build_cache(
        cache,
        [*layer_records(subset="synergy"), *layer_records(subset="vision", depth=8)],
    )
    app = open_layers(subset="vision", depth="relative")
    assert len(lines(app)[0]["hovertext"]) == 8
    assert "Relative depth (%)" in str(charts(app)[0]["layout"])
    app.selectbox(key="subset").set_value("synergy").run()
    assert not app.exception
    assert len(lines(app)[0]["hovertext"]) == 4


def test_the_subset_that_most_models_were_read_on_comes_first(cache: Path) -> None:
    both = [one for model in BOTH for one in layer_records(model, subset="vision")]
    build_cache(cache, [*layer_records("demo/a", subset="language"), *both])
    app = open_layers()
    assert app.selectbox(key="subset").value == "vision"
    assert len(lines(app)) == 4 * len(BOTH)


def test_an_address_that_names_nothing_known_falls_back_and_says_so(cache: Path) -> None:
    build_cache(cache, layer_records())
    app = open_layers(subset="nothing", depth="fathoms", lens="tuned")
    assert len(lines(app)) == 4
    assert "subset “nothing”" in words(app)
    assert "lens “tuned”" in words(app), "nobody has trained one"


def test_neighbouring_layers_are_joined() -> None:
    assert layers_in_words([3]) == "layer 3"
    assert layers_in_words([0, 1, 2, 5]) == "layers 0-2, 5"


def test_phases_and_emergence_stand_in_a_table_unless_layers_are_missing(cache: Path) -> None:
    whole, holed = layer_records("demo/a", depth=8), layer_records("demo/b", depth=8)
    build_cache(cache, [*whole, *(one for one in holed if one.layer != 3)])
    app = open_layers()
    (row,) = next(one for one in app.dataframe if "Phases" in one.value).value.to_dict("records")
    assert row["Model"] == "demo/a"
    assert row["Phases"] == "one course"
    assert row["Synergy from (%)"] == "38"  # layer 3 of 8 holds one bit of two
    assert "Phases need a spectrum of every layer; some are missing of demo/b." in words(app)


def test_both_lenses_of_a_model_stand_beside_each_other_where_the_address_says_so(
    cache: Path,
) -> None:
    plain, other = trajectory("demo/a"), trajectory("demo/b")
    tuned = through_a_lens(plain, "tuned 1a2b3c")
    spectra = [one for line in (plain, tuned, other) for one in (*line.layers, line.output)]
    build_cache(cache, spectra)
    app = open_layers(lens="both")
    assert [one["name"] for one in lines(app)[:3]] == ["a", "a (tuned lens 1a2b3c)", "b"]
    assert len(lines(app)) == 4 * 3
    assert not [one for one in app.selectbox if one.label == "Settings"]
    app.segmented_control(key="lens").set_value("logit").run()
    assert {one["name"] for one in lines(app)} == {"a", "b"}


def test_a_lens_that_reads_nothing_before_the_end_is_answered_with_a_tuned_one(
    cache: Path,
) -> None:
    *inner, own = layer_records("demo/a", depth=10)
    unread = {"full": 0.95, "only_1": 1.0, "only_2": 1.0}
    dark = [replace(one, fallback_rate=unread) if one.layer < 9 else one for one in inner]
    build_cache(cache, [*dark, own])
    page = words(open_layers())
    assert "The logit lens reads no answer in the first 80% of the layers of demo/a" in page
    assert "model_runners lens --model demo/a --benchmark digits_vqa" in page
    assert "--lens tuned" in page
