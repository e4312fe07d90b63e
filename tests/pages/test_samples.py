"""The Samples page on real caches, in every state that it can be in."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.samples import Benchmark
from pages.widgets import state
from pages.widgets.run_choices import OTHER
from tests.data_cache.spools import small_benchmark
from tests.pages.caches import build_cache
from tests.pages.sample_caches import COUNT, build_samples, hostile_benchmark
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, held_by_another_process, words

PAGE = "pages/samples.py"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page(PAGE)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def opens(app: AppTest) -> list[str]:
    """The labels of the buttons that open a sample."""
    return [button.label for button in app.button if str(button.key).startswith("open_")]


def test_a_missing_cache_is_explained(cache: Path) -> None:
    assert "Nothing to show yet" in words(open_page())


def test_the_hardest_samples_come_first_a_page_at_a_time(cache: Path) -> None:
    build_samples(cache)
    app = open_page()
    assert opens(app)[:2] == ["1.00 bits", "1.00 bits"]
    assert len(opens(app)) == 24
    assert f"1 to 24 of {COUNT} samples by GapScore" in words(app)
    app = open_page(page="3")
    assert len(opens(app)) == COUNT - 48


def test_a_sample_is_opened_and_its_neighbours_follow(cache: Path) -> None:
    build_samples(cache)
    app = open_page()
    app.button(key="open_2").click().run()
    assert not app.exception
    assert app.query_params["sample"] == "s0001"
    page = words(app)
    assert "Question 1?" in page
    assert "2 of 60 by GapScore" in page
    app.button(key="step_right").click().run()
    assert "Question 2?" in words(app)
    app.button(key="step_left").click().run()
    app.button(key="step_left").click().run()
    assert "Question 0?" in words(app)
    assert app.button(key="step_left").disabled


def test_going_back_leads_to_the_page_that_the_sample_is_on(cache: Path) -> None:
    build_samples(cache)
    app = open_page(sample="s0030")
    assert "31 of 60" in words(app)
    app.button(key="close_sample").click().run()
    assert "25 to 48 of 60" in words(app)
    assert "sample" not in app.query_params


def test_the_address_is_the_whole_view(cache: Path) -> None:
    build_samples(cache)
    app = open_page(subset="right", direction="lowest", sort="Synergy", sample="s0057")
    page = words(app)
    assert "Question 57?" in page
    assert "2 of 30 by Synergy" in page


def test_subset_and_answers_are_filters(cache: Path) -> None:
    build_samples(cache)
    app = open_page(subset="left")
    assert "of 30 samples" in words(app)
    app.segmented_control(key="answers").set_value("wrong").run()
    assert not app.exception
    assert "No sample fits these choices" in words(app)
    app.segmented_control(key="answers").set_value("right").run()
    assert "of 30 samples" in words(app)


def test_other_choices_begin_at_their_first_page(cache: Path) -> None:
    build_samples(cache)
    app = open_page(page="2")
    app.segmented_control(key="direction").set_value("lowest").run()
    assert f"1 to 24 of {COUNT}" in words(app)


def test_the_table_has_every_number_with_its_unit(cache: Path) -> None:
    build_samples(cache)
    app = open_page(view="table")
    frame = app.dataframe[0].value
    assert len(frame) == COUNT
    assert list(frame["Sample"][:2]) == ["s0000", "s0001"]
    assert {"GapScore (bits)", "SR, synergy ratio", "Unique vision (bits)"} <= set(frame.columns)


def test_a_pooled_estimate_alone_can_still_be_filtered_by_subset(cache: Path) -> None:
    build_samples(cache, subsets=("all",))
    app = open_page()
    assert app.selectbox(key="subset").options == ["all, pooled", "left", "right"]
    app.selectbox(key="subset").set_value("right").run()
    assert "of 30 samples" in words(app)


def test_one_model_is_shown_at_a_time(cache: Path) -> None:
    for model in ("demo/a", "demo/b"):
        build_samples(cache, model=model)
    app = open_page(model="demo/b")
    assert app.selectbox(key="model").value == "demo/b"
    app.session_state[state.ORIGIN_OPEN] = True
    app.button(key="open_1").click().run()
    assert any(code.value.count("estimate key") for code in app.code)
    app.selectbox(key="model").set_value("demo/a").run()
    assert not app.exception
    assert "Question 0?" in words(app)


def test_what_an_address_asks_for_in_vain_is_one_sentence_of_plain_text(cache: Path) -> None:
    build_samples(cache)
    app = open_page(
        subset="../../etc",
        sort="'; DROP TABLE samples",
        answers="maybe",
        page="999",
        view="<b>x</b>",
        sample="![x](http://example.org)",
        model="none",
        benchmark="elsewhere",
    )
    sentences = [text.value for text in app.text if text.value.startswith("The address asks")]
    assert len(sentences) == 1
    for value in ("../../etc", "DROP TABLE", "maybe", "999", "example.org", "elsewhere"):
        assert value in sentences[0]
    assert f"1 to 24 of {COUNT}" in words(app)
    assert "sample" not in app.query_params
    app.run()
    assert "The address asks" not in words(app)


def test_a_sample_that_the_filters_leave_out_is_said_and_the_list_shown(cache: Path) -> None:
    build_samples(cache)
    app = open_page(subset="left", sample="s0001")
    assert "s0001" in words(app)
    assert "of 30 samples" in words(app)


def test_text_of_a_benchmark_is_never_markup(cache: Path) -> None:
    build_samples(cache, hostile_benchmark())
    for query in ({}, {"sample": "s0000"}, {"view": "table"}):
        app = open_page(**query)
        for kind in ("markdown", "caption", "button", "title", "subheader", "info"):
            for element in app.get(kind):
                shown = str(getattr(element, "label", "")) + str(getattr(element, "value", ""))
                assert "example.org" not in shown


def test_samples_without_their_text_are_counted(cache: Path) -> None:
    build_cache(cache, [record("synergy")])
    page = words(open_page())
    assert "The text and images of 2 samples are not in this cache" in page


def test_a_model_without_an_estimate_names_the_command(cache: Path) -> None:
    build_samples(cache, model="demo/a")
    build_samples(cache, model="demo/b", subsets=())
    page = words(open_page(model="demo/b"))
    assert "estimate --model demo/b" in page


def test_nothing_selected_is_said(cache: Path) -> None:
    build_samples(cache)
    app = open_page()
    app.multiselect(key="models").set_value([]).run()
    assert "Nothing is selected" in words(app)


def test_new_estimates_appear_without_a_restart(cache: Path) -> None:
    build_samples(cache, subsets=("left",))
    app = open_page()
    assert "of 30 samples" in words(app)
    build_samples(cache)
    app.run()
    assert app.selectbox(key="subset").options == ["every subset", "left", "right"]
    app.selectbox(key="subset").set_value("every subset").run()
    assert f"of {COUNT} samples" in words(app)


def test_a_busy_cache_is_said_and_what_was_read_before_stays(cache: Path) -> None:
    build_samples(cache)
    app = open_page()
    build_samples(cache, small_benchmark(4, name="another"))
    with held_by_another_process(cache):
        app.run()
        assert not app.exception
        assert f"1 to 24 of {COUNT}" in words(app)
        app.button(key="open_1").click().run()
        assert not app.exception
        assert "is being written to" in words(app)
    app.run()
    assert "Question 0?" in words(app)


def readable(count: int = COUNT) -> Benchmark:
    """Samples under the name of a benchmark that PIDscope can read."""
    return Benchmark(name="digits_vqa", samples=small_benchmark(count).samples)


def test_a_sample_leads_to_a_training_that_leaves_it_out(cache: Path) -> None:
    renamed = [dataclasses.replace(one, subset="synergy") for one in readable().samples]
    benchmark = Benchmark(name="digits_vqa", samples=tuple(renamed))
    build_samples(cache, benchmark, model="demo/fusion-small", subsets=("synergy",))
    app = open_page(sample="s0001")
    assert "train samples of synergy that lack fusion; never on this one." in words(app)
    app.button(key="lora_pid").click().run()
    assert not app.exception
    assert app.title[0].value == "LoRA-PID"
    assert app.selectbox(key="lora_model").value == "demo/fusion-small"
    assert app.selectbox(key="lora_benchmark").value == "digits_vqa"
    assert app.selectbox(key="lora_subset").value == "synergy"
    assert app.segmented_control(key="lora_strategy").value == "pid"
    page = words(app)
    assert "From sample s0001 (test split, subset synergy): GapScore 0.999 bits." in page
    assert "This very sample is never trained on" in page
    app.selectbox(key="lora_model").set_value("demo/oracle").run()
    assert "From sample" not in words(app), "it was a sample of another model"


def test_a_list_leads_to_a_training_on_all_that_it_lists(cache: Path) -> None:
    build_samples(cache, readable(), model="demo/fusion-small")
    app = open_page()
    app.button(key="lora_pid").click().run()
    assert not app.exception
    assert app.selectbox(key="lora_model").value == "demo/fusion-small"
    assert app.selectbox(key="lora_subset").value == "every subset"
    assert "From sample" not in words(app)


def test_a_benchmark_that_cannot_be_read_has_no_training(cache: Path) -> None:
    build_samples(cache)
    app = open_page()
    assert app.button(key="lora_pid").disabled
    assert "This benchmark is not among those that PIDscope can read here." in words(app)


def test_a_model_of_unknown_origin_is_asked_for(cache: Path) -> None:
    build_samples(cache, readable(), model="my-model")
    app = open_page()
    app.button(key="lora_pid").click().run()
    assert not app.exception
    assert app.selectbox(key="lora_model").value == OTHER
    assert "Give the folder of a model" in words(app)
