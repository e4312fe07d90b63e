"""What the LoRA-PID page says of adapters that are measured, on answers that are known."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data_cache.adapters import Measured, write_record
from data_cache.ingest import ingest
from data_cache.samples import Sample
from model_runners.finetuning.study import BASE as BASE_ROW
from pages.figures.strategy_dots import describe, strategy_dots
from pages.widgets.adapter_transfer import cost_in_words
from tests.data_cache.spools import small_benchmark
from tests.model_runners.finetuning.answered import answer
from tests.pages.adapters import BASE, adapter_name, write_adapter
from tests.pages.test_lora import open_lora
from tests.pages.test_run import labels
from tests.pages.test_spectra import charts, words

BENCHMARK = small_benchmark(60)
OTHER = small_benchmark(40, name="other")
RIGHT = {"base": 10, ("uniform", 0): 14, ("uniform", 1): 16, ("pid", 0): 30, ("pid", 1): 28}
"""So many of the 45 test questions, the first ones, are answered right."""
KEYS = {one: f"{place}" * 16 for place, one in enumerate(RIGHT, start=1)}
PID = adapter_name("pid", KEYS["pid", 0])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two strategies, two seeds each; the first of pid was measured on another benchmark, too."""
    cache = tmp_path_factory.mktemp("built") / "cache"
    test = [one.id for one in BENCHMARK.samples if one.split == "test"]
    runs = {
        which: answer(
            cache,
            BENCHMARK,
            BASE if which == "base" else adapter_name(which[0], KEYS[which]),
            lambda one, count=count: one.id in test[:count],
        )
        for which, count in RIGHT.items()
    }

    def known(one: Sample) -> bool:
        return one.subset == "right"

    elsewhere = [
        answer(cache, OTHER, BASE, lambda one: True),
        answer(cache, OTHER, PID, known),
    ]
    ingest(cache)
    for which in list(RIGHT)[1:]:
        strategy, seed = which
        record = write_adapter(
            cache, key=KEYS[which], strategy=strategy, base_run_key=runs["base"],
            run_key=runs[which],
        )  # fmt: skip
        first = Measured(benchmark="small", base_run_key=runs["base"], run_key=runs[which])
        second = Measured(benchmark="other", base_run_key=elsewhere[0], run_key=elsewhere[1])
        there = (first, second) if which == ("pid", 0) else (first,)
        write_record(
            cache, replace(record, options={**record.options, "seed": seed}, measured=there)
        )
    return cache


@pytest.fixture
def cache(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    shutil.copytree(built, folder)
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def test_strategies_are_compared_over_seeds_and_over_questions(cache: Path) -> None:
    app = open_lora(adapter=PID)
    (table,) = [one.value for one in app.dataframe if "p, corrected" in one.value.columns]
    assert table["Strategy"].tolist() == [BASE_ROW, "uniform", "pid"]
    assert table["Seeds"].tolist() == ["", "2", "2"]
    base, uniform, pid = table.to_dict("records")
    assert base["Accuracy (%)"] == "22.2"
    assert pid["Accuracy (%)"].startswith("64.4 (")
    assert uniform["Minus uniform (points)"] == ""
    assert pid["Minus uniform (points)"].startswith("+31.1 (")
    assert pid["p, uniform"] == pid["p, corrected"] == "p < 0.001"
    assert pid["Wrong to right, every seed"] == "18"
    assert "45 test questions that all of them answered" in words(app)
    dots = next(one for one in charts(app) if "strategy" in str(one["data"][1]["hovertext"]) or
                one["data"][1]["name"] == "one seed")  # fmt: skip
    assert len(dots["data"][1]["x"]) == 4


def test_a_subset_is_chosen_by_the_address_and_counts_alone(cache: Path) -> None:
    app = open_lora(adapter=PID, measured_subset="left")
    assert "small, left: 15 test questions" in words(app)
    assert "left: 7 answers went from wrong to right and 0 from right to wrong." in words(app)
    assert "The address asks for" in words(open_lora(adapter=PID, measured_subset="middle"))


def test_answers_that_moved_lead_to_their_samples(cache: Path) -> None:
    app = open_lora(adapter=PID, measured_subset="left")
    page = words(app)
    assert "1 to 7 of 7 samples" in page
    assert page.count(":green-badge[:material/check: B is right]") == 7
    assert "Across models" not in labels(app), "this page has no such view"
    first = next(one for one in app.button if one.key == "open_b_1")
    first.click().run()
    assert not app.exception, app.exception
    assert app.selectbox(key="model").value == PID
    everywhere = words(open_lora(adapter=PID))
    assert "every subset: 20 answers went from wrong to right and 0" in everywhere
    assert "left 7 and 0, right 13 and 0." in everywhere
    assert "Listed are those of right." in everywhere, "most moved there"
    back = open_lora(adapter=PID, measured_subset="left", moved="right to wrong")
    assert "No answer went from right to wrong." in words(back)


def test_the_cost_elsewhere_stands_beside_the_gain(cache: Path) -> None:
    app = open_lora(adapter=PID)
    (table,) = [one.value for one in app.dataframe if "Asks for" in one.value.columns]
    rows = {row["Task"]: row for row in table.to_dict("records")}
    assert list(rows) == [
        "small, every subset", "small, left", "small, right",
        "other, every subset", "other, left", "other, right",
    ]  # fmt: skip
    assert rows["small, left"]["Trained on"] == "yes"
    assert (rows["other, left"]["Trained on"], rows["other, left"]["Seeds"]) == ("no", "1")
    assert rows["other, left"]["Change (points)"] == "-100.0"
    assert rows["other, left"]["p"] == "p = 0.002"
    elsewhere = open_lora(adapter=PID, measured="other")
    assert "Samples: left 10, right 20." in words(elsewhere)
    assert "other, every subset: 30 test questions" in words(elsewhere)


def test_one_row_is_no_cost_and_a_gain_is_none_either() -> None:

    frame = pd.DataFrame(
        {
            "Task": ["a", "b"],
            "Asks for": ["synergy-driven (built)", "knowledge-driven (built)"],
            "Change (points)": ["-3.0", "+1.0"],
        }
    )
    assert cost_in_words(frame) == ""


def test_every_seed_is_a_mark_and_the_base_a_line(cache: Path) -> None:
    from data_cache import adapters, estimates
    from model_runners.finetuning.standings import standings

    records = adapters.adapters(cache)
    found = standings(cache, records, estimates.load(cache), benchmark="small")[None]
    drawn: Any = strategy_dots(found).data
    line, seeds, means = drawn
    assert list(line.x) == pytest.approx([100 * 10 / 45] * 2)
    assert sorted(seeds.x) == pytest.approx([100 * count / 45 for count in (14, 16, 28, 30)])
    assert list(means.x) == pytest.approx([100 * 15 / 45, 100 * 29 / 45])
    assert min(means.error_x.array) > 0
    assert "pid: accuracy 64.4 % (95 % interval" in describe(found)
