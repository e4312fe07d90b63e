"""The Benchmarks page: a machine with one benchmark, with none, and with files of one's own."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice
from data_cache.benchmarks.survey import count
from pages.widgets.benchmark_choices import OTHER_FILE
from tests.benchmark_files import mmbench
from tests.benchmark_files.drawn import drawn
from tests.pages.test_spectra import APP


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that does not exist yet, on a machine with MMBench in $LMUData."""
    monkeypatch.setenv("PIDSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LMUData", str(tmp_path / "LMUData"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "LMUData").mkdir()
    mmbench.write(tmp_path / "LMUData")
    return tmp_path / "cache"


def open_benchmarks() -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60).switch_page("pages/benchmarks.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    assert not app.exception
    return "\n".join(element.value for element in app.text)


def row_of(app: AppTest, name: str) -> dict[str, object]:
    frame = app.dataframe[0].value
    return frame[frame["Benchmark"] == name].iloc[0].to_dict()


def open_one(app: AppTest, name: str) -> AppTest:
    return app.selectbox(key="benchmark_opened").set_value(name).run()


def test_nothing_is_read_before_somebody_asks(cache: Path) -> None:
    app = open_benchmarks()
    assert {name.partition(":")[0] for name in app.dataframe[0].value["Benchmark"]} == set(
        BENCHMARKS
    )
    row = row_of(app, "mmbench")
    assert row["Here"] == "yes"
    assert row["Rows"] is None, "not counted"
    assert "python -m model_runners fetch mmstar" in str(
        row_of(app, "mmstar")["Where it is, or how it is had"]
    )
    waiting = "digits_vqa, digits_av, mmbench"
    assert f"Not counted since the files came or changed: {waiting}." in said(app)
    assert not cache.exists()

    app.button(key="count_benchmarks").click().run()
    row = row_of(app, "mmbench")
    assert (row["Rows"], row["Questions"], row["Bad rows"]) == (9, 3, 0)
    again = open_benchmarks()
    assert row_of(again, "mmbench")["Key"] == row["Key"], "it is remembered"
    assert "count_benchmarks" not in {button.key for button in again.button}


def test_an_opened_one_shows_what_it_holds(cache: Path) -> None:
    app = open_one(open_benchmarks(), "mmbench")
    words = said(app)
    listed = count(BenchmarkChoice(name="mmbench"), cache)
    assert listed.overview is not None
    assert listed.overview.key in words.splitlines()
    assert "Licence: Apache-2.0" in words
    assert "Stays together in train or test: base question" in words
    by_options = next(f.value for f in app.dataframe if "Options" in f.value.columns)
    assert by_options["Samples"].tolist() == [2, 3, 4]
    answers = next(f.value for f in app.dataframe if "Right answer" in f.value.columns)
    assert sum(answers["%"].tolist()) == pytest.approx(100, abs=0.5)


def test_one_that_is_not_here_says_where_it_was_looked_for(cache: Path) -> None:
    app = open_one(open_benchmarks(), "mmbench:cn_dev")
    assert "It is not on this machine." in said(app)
    assert "MMBench_DEV_CN.tsv" in said(app)
    assert any("model_runners fetch mmbench:cn_dev" in code.value for code in app.code)
    app.text_input(key="benchmark_place_mmbench:cn_dev").set_value("/nowhere").run()
    assert "there is no file or folder /nowhere" in said(app)
    for place in ("x" * 400, "~no-such-person/tables"):
        app.text_input(key="benchmark_place_mmbench:cn_dev").set_value(place).run()
        assert "cannot be looked for" in said(app)


def test_bad_rows_of_a_file_of_ones_own_are_named_as_plain_text(
    cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mine.jsonl"
    records = [
        {"question": f"Q{i}?", "options": ["yes", "no"], "answer": "A", "category": "**bold**"}
        for i in range(4)
    ]
    records.append({"question": "Q?", "options": ["yes", "no"], "answer": "![x](http://x) maybe"})
    (tmp_path / "a.png").write_bytes(drawn("a"))
    for record in records:
        record["image"] = "a.png"
    path.write_text("\n".join(json.dumps(record) for record in records) + "\n")
    app = open_one(open_benchmarks(), OTHER_FILE)
    assert "Give the path of a file" in said(app)
    app.text_input(key="benchmark_place").set_value(str(path)).run()
    assert "1 row is bad and left out:" in said(app)
    bad = next(f.value for f in app.dataframe if "Reason" in f.value.columns)
    assert (bad["Row"][0], bad["Column"][0]) == (5, "answer")
    assert "![x](http://x) maybe" in bad["Reason"][0]
    subsets = next(f.value for f in app.dataframe if "Subset" in f.value.columns)
    assert "**bold**" in subsets["Subset"].tolist()
    assert not any("bold" in str(element.value) for element in app.markdown)


def test_predictions_are_imported_from_here_too(cache: Path) -> None:
    app = open_benchmarks()
    app.button(key="import_predictions").click().run()
    assert "name a file to import" in said(app)
