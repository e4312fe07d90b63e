"""Filters, tags and saved slices on the Samples page, as somebody uses them."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import tags
from tests.data_cache.spools import small_benchmark
from tests.pages.markup import HOSTILE, markup
from tests.pages.sample_caches import COUNT, build_samples
from tests.pages.test_samples import open_page, opens
from tests.pages.test_spectra import words

KEY = small_benchmark(COUNT).key


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on the same benchmark; the first sample is the hardest of both."""
    folder = tmp_path_factory.mktemp("filters") / "cache"
    for model in ("demo/a", "demo/b"):
        build_samples(folder, model=model)
    return folder


@pytest.fixture
def cache(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, without a tag."""
    (built / "tags.sqlite").unlink(missing_ok=True)
    monkeypatch.setenv("PIDSCOPE_CACHE", str(built))
    return built


def open_window(app: AppTest, name: str) -> AppTest:
    """Open a window as a click does."""
    app.session_state[name] = True
    app.run()
    assert not app.exception, app.exception
    return app


def put(cache: Path, name: str, *ids: str) -> None:
    tags.add(cache, name, benchmark="small", benchmark_key=KEY, sample_ids=ids)


def test_an_address_filters_and_one_sentence_says_so_with_a_way_back(cache: Path) -> None:
    put(cache, "hard", "s0001", "s0002", "s0003", "s0050")
    app = open_page(where="gap_score:..0.998;tag:hard;tau:none;text:question")
    page = words(app)
    assert (
        "Filtered: GapScore at most 0.998 bits; tagged “hard”; fell back to uniform (tau) nowhere; "
        "“question” in the question or an option." in page
    )
    assert f"1 to 3 of 3 samples by GapScore, out of {COUNT} unfiltered" in page
    assert opens(app) == ["1.00 bits", "1.00 bits", "0.95 bits"]
    app.button(key="open_3").click().run()
    assert "3 of 3 by GapScore" in words(app)
    app.button(key="clear_filters").click().run()
    assert "51 of 60 by GapScore" in words(app)
    assert "where" not in app.query_params
    assert "Filtered" not in words(app)


def test_what_is_set_in_the_window_stands_in_the_address(cache: Path) -> None:
    put(cache, "hard", "s0007", "s0008")
    app = open_window(open_page(model="demo/a"), "filter")
    app.number_input(key="filter_gap_score_low").set_value(0.95).run()
    app.number_input(key="filter_gap_score_high").set_value(0.999).run()
    assert app.query_params["where"] == "gap_score:0.95..0.999"
    assert "of 50 samples" in words(app)
    app.multiselect(key="filter_tags").set_value(["hard"]).run()
    app.text_input(key="filter_text").set_value("8?").run()
    app.selectbox(key="filter_fallback").set_value("nowhere").run()
    assert not app.exception
    where = "gap_score:0.95..0.999;tag:hard;tau:none;text:8%3F"
    assert app.query_params["where"] == where
    assert "of 1 samples" in words(app)
    assert list(app.selectbox(key="filter_unlike").options) == [
        "no other model",
        "demo/b",
    ]
    app.selectbox(key="filter_unlike").set_value("demo/b").run()
    assert "another answer than demo/b" in words(app)
    assert "No sample passes the filters" in words(app)
    app.selectbox(key="filter_unlike").set_value("no other model").run()
    app.number_input(key="filter_gap_score_low").set_value(None).run()
    assert app.query_params["where"] == where.replace("0.95..", "..")


def test_a_range_that_ends_before_it_begins_is_refused_in_a_sentence(cache: Path) -> None:
    app = open_window(open_page(where="gap_score:0.5.."), "filter")
    app.number_input(key="filter_gap_score_high").set_value(0.25).run()
    assert not app.exception
    assert "gap_score from 0.5 to 0.25 is no range" in words(app)
    assert app.number_input(key="filter_gap_score_high").value is None
    assert app.query_params["where"] == "gap_score:0.5.."


def test_filters_that_are_not_here_are_named_and_the_others_hold(cache: Path) -> None:
    app = open_page(where="gap_score:0.99..;colour:red;tag:gone;unlike:nobody")
    [said] = [one.value for one in app.text if one.value.startswith("The address asks")]
    for part in ("colour:red", "tag:gone", "unlike:nobody"):
        assert part in said
    assert app.query_params["where"] == "gap_score:0.99.."
    assert "of 11 samples" in words(app)


def test_a_tag_is_put_on_taken_off_and_repeated_on_the_next_sample(cache: Path) -> None:
    app = open_page(sample="s0000", model="demo/a")
    picker = f"tags_of_{KEY}_s0000"
    app.multiselect(key=picker).set_value(["look again"]).run()
    assert not app.exception
    assert tags.tagged(cache, "look again", KEY) == ("s0000",)
    assert app.button(key="tag_again").disabled
    app.button(key="step_right").click().run()
    app.button(key="tag_again").click().run()
    assert tags.tagged(cache, "look again", KEY) == ("s0000", "s0001")
    app.button(key="step_left").click().run()
    assert app.multiselect(key=picker).value == ["look again"]
    app.multiselect(key=picker).set_value([]).run()
    assert tags.tagged(cache, "look again", KEY) == ("s0001",)
    app.multiselect(key=picker).set_value(["x" * 61]).run()
    assert "cannot be a tag's name" in words(app)


def test_what_is_listed_is_saved_as_a_slice_shown_and_deleted(cache: Path) -> None:
    app = open_window(open_page(where="gap_score:0.99..", model="demo/a"), "slices")
    app.text_input(key="slice_name").set_value("hardest").run()
    app.button(key="save_slice").click().run()
    assert not app.exception
    assert "Saved 11 samples as “hardest”." in words(app)
    [kept] = tags.tags(cache)
    assert (kept.name, kept.samples, kept.benchmark_key) == ("hardest", 11, KEY)
    assert kept.description == (
        "demo/a on small (certified, test samples); GapScore at least 0.99 bits; by GapScore."
    )
    assert tags.tagged(cache, "hardest", KEY)[:2] == ("s0000", "s0001")
    app.button(key="clear_filters").click().run()
    app.button(key="show_tag_0").click().run()
    assert app.query_params["where"] == "tag:hardest"
    assert "of 11 samples" in words(app)
    app.button(key="ask_tag_0").click().run()
    app.button(key="delete_tag_0").click().run()
    assert "The tag “hardest” is off 11 samples." in words(app)
    assert tags.tags(cache) == []


def test_names_of_tags_are_text(cache: Path) -> None:
    name = HOSTILE[:60].strip()
    tags.add(
        cache, name, benchmark="small", benchmark_key=KEY, sample_ids=["s0000"], description=HOSTILE
    )
    app = open_window(open_window(open_page(sample="s0000"), "filter"), "slices")
    app.multiselect(key="filter_tags").set_value([name]).run()
    assert not app.exception
    assert f"tagged “{name}”" in words(app)
    assert markup(app) == []


def test_the_split_of_each_sample_is_shown_in_grid_table_and_detail(cache: Path) -> None:
    app = open_page()
    badges = [one.value for one in app.markdown if "-badge[" in one.value]
    assert len(badges) == 24
    assert sum("train" in one for one in badges) == 6
    app = open_page(sample="s0004")
    assert any("train" in one.value for one in app.markdown)
    frame = open_page(view="table").dataframe[0].value
    assert list(frame["Split"][:5]) == ["train", "test", "test", "test", "train"]
