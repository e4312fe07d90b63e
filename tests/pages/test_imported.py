"""Imported predictions on the pages: on Spectra and Samples, without images, and compared."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import queries
from data_cache.benchmarks import load_benchmark
from data_cache.estimates import save_all
from data_cache.imported import ImportOptions
from model_runners.importing import import_and_estimate
from pages.widgets import state
from pages.widgets.imported_runs import missing_in_words, rows, tau_in_words
from tests.data_cache.spools import pointwise_rows, profile, spectrum
from tests.pages.test_spectra import APP, words

SURE, OPEN = [0.94, 0.02, 0.02, 0.02], [0.25, 0.25, 0.25, 0.25]


def turned(distribution: list[float], places: int) -> list[float]:
    return distribution[-places:] + distribution[:-places] if places else distribution


def synergy_file(folder: Path, count: int = 32, **more: object) -> Path:
    """Both sources together name the right option, each alone leaves it open."""
    path = folder / "predictions.jsonl"
    lines = [
        {
            "id": f"q{number:03d}",
            "answer": "ABCD"[number % 4],
            "p12": turned(SURE, number % 4),
            "p1": OPEN,
            "p2": OPEN,
            **more,
        }
        for number in range(count)
    ]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def imported(cache: Path, file: Path, *, model: str = "theirs", benchmark: str = "own") -> None:
    import_and_estimate(cache, ImportOptions(files=(file,), model=model, benchmark=benchmark))


def open_page(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    return app


def expanders(app: AppTest) -> list[str]:
    return [expander.label for expander in app.expander]


def test_spectra_show_the_synergy_of_a_file_and_where_it_came_from(
    cache: Path, tmp_path: Path
) -> None:
    imported(cache, synergy_file(tmp_path))
    app = open_page("spectra")
    table = app.dataframe[0].value
    assert table["Model"].tolist() == ["theirs"]
    (synergy,) = table["Synergy (bits)"].tolist()
    assert abs(synergy - 1.577) < 0.01  # 2 - H(0.94, 0.02, 0.02, 0.02)
    assert table["D_vision (points)"].isna().tolist() == [True]
    assert table["Accuracy (%)"].tolist() == [100]
    assert "1 run was imported" in expanders(app)
    assert "no self-test was made" in words(app)
    (about,) = [f.value for f in app.dataframe if "SHA-256" in f.value.columns]
    assert about["Files"].tolist() == ["predictions.jsonl"]
    assert about["Not in the file"].tolist() == ["both masked, no image"]
    assert about["tau"].tolist() == ["changes nothing: the file has no mass on other words"]
    assert not [label for label in expanders(app) if label.startswith("Self-tests")]


def test_samples_without_text_or_image_can_be_browsed_and_opened(
    cache: Path, tmp_path: Path
) -> None:
    file = synergy_file(tmp_path)
    lines = file.read_text("utf-8").splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {"p12": OPEN})
    file.write_text("\n".join(lines), "utf-8")
    imported(cache, file)
    app = open_page("samples", model="theirs")
    assert "The imported file has no text of this question." in words(app)
    app.query_params["sample"] = "q001"
    app.session_state[state.ORIGIN_OPEN] = True
    opened = words(app.run())
    assert "The imported file has no image of this sample." in opened
    assert "Only image and text together give the right answer" in opened
    assert "Fusion is there: both together make the model" in opened
    assert "predictions imported from predictions.jsonl" in opened
    assert "B  B" in opened  # the letter is all that is known of the option
    app.query_params["sample"] = "q002"
    badges = "\n".join(str(one.value) for one in app.run().markdown)
    assert "no option is known as the model's answer" in badges
    assert not app.exception


def test_imported_predictions_are_compared_with_a_run(cache: Path, tmp_path: Path) -> None:
    digits = load_benchmark("digits_vqa")
    key = profile(cache, digits, limit=64, draws=1)
    tested = [sample for sample in digits.samples[:64] if sample.split == "test"]
    measured = spectrum(key, benchmark="digits_vqa", n=len(tested), d_vision=0.25)
    save_all(cache, [(measured, pointwise_rows([sample.id for sample in tested]))])
    file = tmp_path / "predictions.json"
    lines = [
        {"id": sample.id, "p12": turned(SURE, sample.answer), "p1": OPEN, "p2": OPEN}
        for sample in tested
    ]
    file.write_text(json.dumps(lines), "utf-8")
    imported(cache, file, benchmark="digits_vqa")
    app = open_page("compare", a="demo/oracle", b="theirs")
    assert "1 run was imported" in expanders(app)
    assert "mask scope (unset and not known)" in words(app)
    numbers = app.dataframe[0].value.set_index("")
    assert numbers.loc["D_vision (points)"].tolist()[:2] == ["25.0", "not run"]
    assert numbers.loc["Samples", ["A", "B"]].tolist() == [str(len(tested))] * 2
    assert 1.4 < float(numbers.loc["Synergy (bits)", "B"]) < 1.577
    assert f"Both models answered the same {len(tested)} samples." in words(app)
    # The imported one is always right, and the other says A to everything.
    of_measured = sum(sample.answer == 0 for sample in tested)
    (counts,) = [f.value for f in app.dataframe if "B right" in f.value.columns]
    assert counts["B right"].tolist()[:2] == [str(of_measured), str(len(tested) - of_measured)]


def test_what_tau_and_the_file_leave_open_is_said_in_words() -> None:
    def run(**scales: str) -> queries.RunRow:
        return queries.RunRow(
            run_key="k", model="m", family="f", benchmark="b", benchmark_key="0", n_samples=1,
            draws=1, layers=(-1,), self_test={}, environment={},
            config={"imported": "x", "probabilities": scales},
            ingested_at=datetime.datetime.now(datetime.UTC),
        )  # fmt: skip

    three = dict.fromkeys(("full", "only_1", "only_2"), "vocabulary")
    assert tau_in_words(run(**three)) == "applies"
    assert (
        tau_in_words(run(**three | {"full": "options"})) == "applies to: vision only, language only"
    )
    assert missing_in_words(run(**three, neither="options")) == "no image"
    assert rows([run(**three)])["Files"].tolist() == [""]


def test_the_form_imports_a_file_and_says_what_it_did(cache: Path, tmp_path: Path) -> None:
    file = synergy_file(tmp_path)
    app = open_page("benchmarks")
    app.text_area(key="import_files").set_value(f"\n{file}\n")
    app.text_input(key="import_model").set_value("theirs")
    app.text_input(key="import_benchmark").set_value("own")
    app.button(key="import_predictions").click().run()
    assert not app.exception
    assert "32 samples of own (of the file" in words(app)
    assert "all: n 32  R " in words(app)
    (run,) = queries.runs(cache)
    assert (run.model, run.family) == ("theirs", "imported")
    app.text_area(key="import_files").set_value(str(tmp_path))
    app.button(key="import_predictions").click().run()
    page = words(app)
    assert "This cannot be imported." in page
    assert f"{tmp_path} is a folder" in page
    assert "32 samples of own" not in page
