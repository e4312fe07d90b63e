"""The Run page's template: chosen by name, edited, previewed on a real sample, and then run."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.benchmarks import load_benchmark
from model_runners.asking import Asking, user_text
from model_runners.prompt_templates import named

PICKER = "run_template_digits_vqa_letters"
FIELD = "run_template_text_digits_vqa_letters_"
OWN = "Q: {question}\n{options}\nYour letter, please."


def page() -> None:
    import streamlit as st

    from pages.widgets.errors import sentence_instead
    from pages.widgets.run_choices import choose_run

    with sentence_instead("This run is not possible."):
        options = choose_run()
        assert options is not None
        st.text(repr(options.template))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    return AppTest.from_function(page, default_timeout=60).run()


def chosen(app: AppTest) -> str:
    assert not app.exception
    return app.text[-1].value


def test_the_standard_is_shown_and_is_no_choice(app: AppTest) -> None:
    assert app.text_area(key=f"{FIELD}standard").value == named("standard", "letters")
    assert chosen(app) == "None"


def test_the_preview_is_what_the_model_is_told_of_a_sample_that_would_be_run(app: AppTest) -> None:
    app.selectbox(key="run_subset").set_value("vision").run()
    app.selectbox(key=PICKER).set_value("llava").run()
    sample = load_benchmark("digits_vqa").select(subset="vision", split="test", limit=1)[0]
    llava = Asking(template=named("llava", "letters"))
    assert app.code[0].value == user_text(sample, llava)
    assert f"Sample {sample.id} by the template llava, behind its images" in [
        text.value for text in app.text
    ]
    assert chosen(app) == repr(llava.template)


def test_an_edited_text_is_what_is_run(app: AppTest) -> None:
    app.text_area(key=f"{FIELD}standard").set_value(f"{OWN}\n").run()
    assert app.code[0].value.endswith("\nYour letter, please.")
    assert chosen(app) == repr(OWN)
    app.text_area(key=f"{FIELD}standard").set_value(named("standard", "letters")).run()
    assert chosen(app) == "None"


def test_a_text_that_is_no_template_is_one_sentence(app: AppTest) -> None:
    app.text_area(key=f"{FIELD}standard").set_value("{question} {option}").run()
    assert not app.exception
    assert [error.value for error in app.error] == ["This run is not possible."]
    assert "{option}, which is no field" in chosen(app)
    app.text_area(key=f"{FIELD}standard").set_value(OWN).run()
    assert not app.error
    assert chosen(app) == repr(OWN)


def test_other_answers_have_other_templates_and_keep_theirs(app: AppTest) -> None:
    app.selectbox(key=PICKER).set_value("vlmevalkit").run()
    app.selectbox(key="run_answers").set_value("options").run()
    assert app.selectbox(key="run_template_digits_vqa_options").options == [
        "standard: question, options and the instruction of Xiu26"
    ]
    assert chosen(app) == "None"
    app.selectbox(key="run_answers").set_value("letters").run()
    assert chosen(app) == repr(named("vlmevalkit", "letters"))
