"""What the Run page's pickers of answers, mask and pooling choose arrives in the run."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from model_runners.inference import POOLINGS
from model_runners.prompt import MASK_SCOPES
from model_runners.prompt_templates import ANSWER_STYLES
from pages.widgets.run_manner import ANSWERS, POOLED, SCOPES


def page() -> None:
    import streamlit as st

    from pages.widgets.run_choices import choose_run

    options = choose_run()
    assert options is not None
    st.text(f"{options.answers} {options.mask_scope} {options.pooling}")


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    return AppTest.from_function(page, default_timeout=60).run()


def chosen(app: AppTest) -> str:
    assert not app.exception
    return app.text[-1].value


def test_a_run_asks_for_letters_and_masks_all_text_unless_told_otherwise(app: AppTest) -> None:
    assert chosen(app) == "letters all mean"


def test_what_is_picked_is_what_is_run(app: AppTest) -> None:
    app.selectbox(key="run_answers").set_value("options")
    app.selectbox(key="run_mask_scope").set_value("question")
    app.selectbox(key="run_pooling").set_value("max").run()
    assert chosen(app) == "options question max"


def test_everything_that_can_be_run_can_be_picked() -> None:
    assert (tuple(ANSWERS), tuple(SCOPES), tuple(POOLED)) == (ANSWER_STYLES, MASK_SCOPES, POOLINGS)
