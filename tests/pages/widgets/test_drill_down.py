from tempfile import TemporaryDirectory

from streamlit.testing.v1 import AppTest

from pages.widgets.drill_down import estimate_of
from pages.widgets.sample_choices import choice_of
from pages.widgets.spectrum_choices import NEWEST, settings_choice
from tests.pages.spectra import record


def test_a_click_names_the_estimate_that_the_figure_wrote_into_its_points() -> None:
    assert estimate_of({"selection": {"points": [{"customdata": ["0123"]}]}}) == "0123"
    assert estimate_of({"selection": {"points": [{"point_index": 3}]}}) is None
    assert estimate_of({"selection": {"points": []}}) is None


def test_the_pooled_bar_has_a_choice_of_its_own() -> None:
    assert choice_of("synergy") == "synergy"
    assert choice_of("all") == "all, pooled"


def test_settings_are_chosen_only_where_they_differ() -> None:
    new = record(settings={"tau": 0.3}, estimate_key="new")
    old = record(settings={"tau": 0.0}, estimate_key="old", created="2026-01-01T00:00:00+00:00")
    other = record(model="demo/b", settings={"tau": 0.5})
    assert settings_choice(new, [new, other]) is None
    assert settings_choice(new, [new, old, other]) == NEWEST
    assert settings_choice(old, [new, old, other]) == "tau 0.0"


def test_a_bar_of_scores_leads_to_the_train_samples_between_its_ends() -> None:
    def clicked() -> None:
        from datetime import datetime
        from pathlib import Path

        import streamlit as st

        from pages.figures.scores import SCORES
        from pages.widgets.adapter_weights import train_estimates
        from pages.widgets.stored import Stored
        from pages.widgets.weights_shown import _remember_bin
        from tests.pages.adapters import BASE, write_adapter
        from tests.pages.spectra import record

        train = {"model": BASE, "benchmark": "small", "split": "train"}
        spectra = (
            record("left", **train, estimate_key="old", created="2026-01-01T00:00:00+00:00"),
            record("left", **train),
            record("all", **train, estimate_key="pooled"),
            record("left", **(train | {"split": "test"}), estimate_key="test"),
            record("left", **train, estimator="batch", estimate_key="batch"),
        )
        st.session_state["_reading"] = Stored(
            cache=Path(),
            version="",
            condition="ready",
            read_at=datetime(2026, 1, 1),
            spectra=spectra,
        )
        st.session_state["benchmark"] = "other"
        st.session_state["answers"] = "wrong"
        adapter = write_adapter(Path(st.query_params["cache"]))
        behind = train_estimates(adapter, spectra)
        st.session_state["chart"] = {"selection": {"points": [{"customdata": [0.3, 0.35]}]}}
        _remember_bin(SCORES[0], behind, "chart")

    with TemporaryDirectory() as folder:
        app = AppTest.from_function(clicked)
        app.query_params["cache"] = folder
        app.run()
    assert not app.exception, app.exception
    assert app.session_state["_clicked"] == {
        "model": "demo/fusion-small",
        "subset": "left",
        "where": "gap_score:0.3..0.35",
    }
    assert app.session_state["benchmark"] == "small"
    assert app.session_state["split"] == "train"
    assert app.session_state["answers"] == "all"


def test_a_checkpoint_leads_to_its_samples_though_no_picker_lists_it_yet() -> None:
    def clicked() -> None:
        from datetime import datetime
        from pathlib import Path

        import streamlit as st

        from pages.widgets.drill_down import remember_click
        from pages.widgets.stored import Stored
        from tests.pages.spectra import record

        point = record(model="demo/a@all-100", estimate_key="point")
        st.session_state["_reading"] = Stored(
            cache=Path(),
            version="",
            condition="ready",
            read_at=datetime(2026, 1, 1),
            spectra=(record(),),
            checkpoint_spectra=(point,),
        )
        st.session_state["chart"] = {"selection": {"points": [{"customdata": ["point"]}]}}
        remember_click("chart")

    app = AppTest.from_function(clicked).run()
    assert not app.exception, app.exception
    assert app.session_state["_clicked"] == {"model": "demo/a@all-100", "subset": "synergy"}
    assert app.session_state["models"] == ["demo/a@all-100"]
