"""How a model is loaded is picked before a run; what runs somebody's code is confirmed for one."""

import json
import sys
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from model_runners import quantisation
from model_runners.placement import DEVICE_MAPS
from model_runners.quantisation import QUANTISATIONS
from model_runners.registry import add_own
from model_runners.remote_code import code_fingerprint
from pages.widgets import state
from pages.widgets.run_choices import OTHER
from pages.widgets.run_loading import SPREADS, WEIGHTS


def page() -> None:
    import streamlit as st

    from pages.widgets.address import begin_notes, show_notes
    from pages.widgets.own_models import offer_to_keep
    from pages.widgets.run_choices import choose_model
    from pages.widgets.run_loading import choose_loading

    begin_notes()
    chosen = choose_loading(choose_model("run_model", "run_other_model"))
    if st.session_state.get("offered"):
        offer_to_keep(st.session_state["run_other_model"])
    show_notes()
    st.code(repr(chosen.options()))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(quantisation, "PACKAGE", "torch")  # so that the option is taken
    config.set_option("server.address", "127.0.0.1")
    return AppTest.from_function(page, default_timeout=60)


@pytest.fixture
def coded(tmp_path: Path) -> Path:
    """A folder with code of its own, which is looked at and not run."""
    folder = tmp_path / "coded"
    folder.mkdir()
    auto_map = {"AutoModel": "modeling_mine.Mine"}
    content = {"model_type": "mine_of_a_lab", "auto_map": auto_map}
    (folder / "config.json").write_text(json.dumps(content))
    (folder / "modeling_mine.py").write_text("raise RuntimeError('run')\n")
    return folder


def chosen(app: AppTest) -> dict[str, object]:
    assert not app.exception
    return {name: value for name, value in eval(app.code[-1].value).items() if value}


def said(app: AppTest) -> str:
    return "\n".join(one.value for one in app.text)


def with_model(app: AppTest, folder: Path) -> AppTest:
    app.run().selectbox(key="run_model").set_value(OTHER).run()
    return app.text_input(key="run_other_model").set_value(str(folder)).run()


def test_a_model_is_loaded_as_it_is_unless_told_otherwise(app: AppTest) -> None:
    app.run()
    assert chosen(app) == {}
    app.selectbox(key=state.RUN_WEIGHTS).set_value("4 bits")
    app.selectbox(key=state.RUN_SPREAD).set_value("all devices").run()
    assert chosen(app) == {"quantise": "4bit", "device_map": "auto"}


def test_an_address_holds_bits_and_devices_and_never_whose_code_is_run(
    app: AppTest, coded: Path
) -> None:
    app.query_params[state.RUN_WEIGHTS] = "8 bits"
    app.query_params[state.RUN_WORKER] = sys.executable
    app.query_params[state.RUN_WORKER_ADAPTER] = "llava"
    app.query_params[f"{state.RUN_TRUST}_{coded}_{code_fingerprint(coded)}"] = "true"
    with_model(app, coded)
    assert chosen(app) == {"quantise": "8bit"}
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params[state.RUN_SPREAD] = "everywhere"
    app.run()
    assert "run_spread “everywhere”, which is not here" in said(app)


def test_code_is_trusted_for_one_model_and_as_it_is_now(app: AppTest, coded: Path) -> None:
    app.run()
    assert not app.checkbox, "what has no code has nothing to trust"
    with_model(app, coded)
    assert "brings Python code of its own: modeling_mine.py. It can do anything" in said(app)
    assert chosen(app) == {}
    app.checkbox[0].check().run()
    assert chosen(app) == {"trust_remote_code": True}
    (coded / "modeling_mine.py").write_text("raise RuntimeError('other')\n")
    app.run()
    assert chosen(app) == {}, "other code is trusted anew"


def test_a_worker_is_named_for_a_model_that_has_none(app: AppTest, coded: Path) -> None:
    app.run()
    assert state.RUN_WORKER not in {one.key for one in app.text_input}, "the demo has its classes"
    with_model(app, coded)
    app.text_input(key=state.RUN_WORKER).set_value(sys.executable).run()
    app.text_input(key=state.RUN_WORKER_ADAPTER).set_value("llava").run()
    assert chosen(app) == {"worker": sys.executable, "worker_adapter": "llava"}
    add_own("mine", str(coded), trust_remote_code="yes", worker=sys.executable)
    app.run()
    app.selectbox(key="run_model").set_value("mine").run()
    assert chosen(app) == {}, "its entry says all of it"
    assert f"It runs in an environment of its own: {sys.executable}" in said(app)
    assert not app.checkbox


def test_on_a_shared_dashboard_nobodys_code_is_chosen(app: AppTest, coded: Path) -> None:
    config.set_option("server.address", "0.0.0.0")
    try:
        app.session_state["offered"] = True
        with_model(app, coded)
        assert not app.checkbox, "nor is it kept in the list as trusted"
        assert state.RUN_WORKER not in {one.key for one in app.text_input}
        assert "only its owner can trust code" in said(app)
    finally:
        config.set_option("server.address", "127.0.0.1")


def test_everything_that_loads_can_be_picked() -> None:
    assert tuple(filter(None, WEIGHTS.values())) == QUANTISATIONS
    assert tuple(filter(None, SPREADS.values())) == DEVICE_MAPS
