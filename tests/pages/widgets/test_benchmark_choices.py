"""Which benchmark a run is of: picked with variant, files and split, its bad rows shown before."""

import json
import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from model_runners.requests import request_of
from pages.widgets.benchmark_choices import OTHER_FILE
from tests.benchmark_files import mmbench
from tests.benchmark_files.drawn import drawn


def page() -> None:
    import streamlit as st

    from pages.widgets.errors import sentence_instead
    from pages.widgets.run_choices import choose_run

    with sentence_instead("This run is not possible."):
        st.session_state["options"] = None
        st.session_state["options"] = choose_run()


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The pickers on a machine without any benchmark."""
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return AppTest.from_function(page, default_timeout=60).run()


def asked(app: AppTest) -> dict[str, object]:
    assert not app.exception
    options = app.session_state["options"]
    assert options is not None, said(app)
    return request_of(options)


def said(app: AppTest) -> str:
    return "\n".join(element.value for element in app.text)


def pick(app: AppTest, name: str) -> AppTest:
    return app.selectbox(key="run_benchmark").set_value(name).run()


def own_file(folder: Path, count: int, *, without_image: int) -> Path:
    (folder / "there.png").write_bytes(drawn("there"))
    records = [
        {"question": f"**Question {i}**?", "options": ["yes", "no"], "answer": "A",
         "group": f"g{i}", "image": "away.png" if i < without_image else "there.png"}
        for i in range(count)
    ]  # fmt: skip
    path = folder / "mine.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records) + "\n")
    return path


def test_the_demo_asks_for_nothing_else(app: AppTest) -> None:
    assert not {"data", "split_policy", "circular", "max_bad_rows"} & set(asked(app))
    keys = {box.key for box in app.selectbox}
    assert not any(key and key.startswith("run_benchmark_") for key in keys)


def test_what_is_not_here_says_how_it_is_had(app: AppTest) -> None:
    pick(app, "mmbench")
    assert "python -m model_runners fetch mmbench" in said(app)
    assert app.session_state["options"] is None


def test_variant_files_division_and_orders_arrive_in_the_run(app: AppTest, tmp_path: Path) -> None:
    folder = mmbench.write(tmp_path)
    pick(app, "mmbench")
    app.text_input(key="run_benchmark_place_mmbench").set_value(f" {folder} ").run()
    request = asked(app)
    assert (request["benchmark"], request["data"]) == ("mmbench", str(folder))
    app.selectbox(key="run_benchmark_split_policy").set_value("random")
    app.selectbox(key="run_benchmark_circular").set_value("base_only").run()
    request = asked(app)
    assert (request["split_policy"], request["circular"]) == ("random", "base_only")
    assert "Left out on purpose: 6 rows (rotated copy)." in said(app)
    app.selectbox(key="run_benchmark_variant_mmbench").set_value("cn_dev").run()
    assert app.session_state["options"] is None
    assert "holds nothing that MMBench (cn_dev) is read from" in said(app)
    assert asked(pick(app, "digits_vqa"))["benchmark"] == "digits_vqa", "and back again"


def test_a_file_of_ones_own_is_asked_for_by_path(app: AppTest, tmp_path: Path) -> None:
    pick(app, OTHER_FILE)
    assert "Give the path of a file of your own" in said(app)
    app.text_input(key="run_benchmark_file").set_value("readme.txt").run()
    assert "ends in .tsv, .jsonl" in said(app)
    path = own_file(tmp_path, 4, without_image=0)
    app.text_input(key="run_benchmark_file").set_value(str(path)).run()
    assert asked(app)["benchmark"] == str(path)


def test_a_file_that_changed_is_read_again(app: AppTest, tmp_path: Path) -> None:
    path = own_file(tmp_path, 4, without_image=0)
    pick(app, OTHER_FILE)
    app.text_input(key="run_benchmark_file").set_value(str(path)).run()
    with path.open("a") as file:
        file.write('{"question": "more?"}\n')
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10))
    app.run()
    assert "1 row is bad and will be left out" in [one.label for one in app.expander]
    assert app.session_state["options"] is None, "1 of 5 is more than is allowed"


def test_bad_rows_are_shown_before_the_start_and_may_be_allowed(
    app: AppTest, tmp_path: Path
) -> None:
    path = own_file(tmp_path, 20, without_image=3)
    pick(app, OTHER_FILE)
    app.text_input(key="run_benchmark_file").set_value(str(path)).run()
    assert "3 rows are bad and will be left out" in [one.label for one in app.expander]
    (table,) = [frame.value for frame in app.dataframe]
    assert list(table["Row"]) == [1, 2, 3]
    assert "away.png" in table["Reason"][0]
    assert "3 of 20 rows of mine are bad, more than 5%" in said(app)
    assert app.session_state["options"] is None
    app.number_input(key="run_benchmark_allowed").set_value(20.0).run()
    assert asked(app)["max_bad_rows"] == 0.2

    (tmp_path / "away.png").write_bytes(drawn("away"))
    app.button(key="run_benchmark_again").click().run()
    assert not app.dataframe, "the images have come"
    assert "max_bad_rows" not in asked(app)
