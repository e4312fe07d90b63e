"""The LoRA-PID page with real adapters and real jobs on real cache folders."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache import jobs
from data_cache.adapters import AdapterRecord, LossPoint, adapters, append_loss
from data_cache.location import adapter_directory
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.requests import request_of, title_of
from model_runners.jobs import follow
from model_runners.strategies import STRATEGIES
from pages.figures.before_after import Pair
from pages.widgets.adapter_results import unlike
from pages.widgets.lora_origin import Origin, sentence_of
from pages.widgets.run_choices import OTHER
from pages.widgets.stored_adapters import adapter_of, pairs_of
from tests.pages.adapters import BASE, build_adapters, write_adapter
from tests.pages.spectra import record
from tests.pages.test_run import badges, labels, stop_all
from tests.pages.test_spectra import APP, charts, words

SMALL = FinetuneOptions(
    model=BASE, benchmark="digits_vqa", subset="synergy", limit=32, draws=3, epochs=2
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a cache that does not exist yet; whatever runs in it at the end is stopped."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    yield folder
    stop_all(folder)


def open_lora(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/lora.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def choose_small(app: AppTest) -> AppTest:
    app.selectbox(key="lora_model").set_value(SMALL.model)
    app.selectbox(key="lora_subset").set_value(SMALL.subset)
    app.number_input(key="lora_limit").set_value(SMALL.limit)
    app.number_input(key="lora_epochs").set_value(SMALL.epochs)
    app.number_input(key="lora_draws").set_value(SMALL.draws).run()
    assert not app.exception
    return app


def tables(app: AppTest) -> str:
    return "\n".join(table.value.to_string() for table in app.dataframe)


def shown_losses(app: AppTest) -> list[dict]:
    return [one for one in charts(app) if "loss" in one["layout"]["yaxis"]["title"].get("text", "")]


def test_an_empty_cache_says_what_a_training_would_do(cache: Path) -> None:
    app = choose_small(open_lora())
    page = words(app)
    assert {"32", "at most 6", "4", "1,408", "not known yet"} <= set(page.splitlines())
    assert "Only samples of the train split are trained on" in page
    assert STRATEGIES["pid"].summary in page
    assert "gap samples weigh 3.0, shortcut samples 0.5, any other 1.0" in page
    assert "a margin of 20% + 1 GiB, a rule of thumb" in page
    assert "No scores of train samples of this model are in the cache yet" in page
    assert "No LoRA-PID job has been started in this cache yet." in page
    assert "No adapter yet" in page
    assert not cache.exists(), "looking must not create anything"


def test_a_strategy_without_scores_weighs_all_the_same(cache: Path) -> None:
    app = choose_small(open_lora())
    app.button_group(key="lora_strategy").set_value("uniform").run()
    page = words(app)
    assert "every sample weighs 1.0" in page
    assert "No scores of train samples" not in page
    app.button_group(key="lora_strategy").set_value("random").run()
    page = words(app)
    assert "drawn samples weigh 3.0, other drawn samples 0.5, any other 1.0" in page
    assert "gap sample" not in page.lower(), "random lifts no gap samples"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("demo/oracel", "did you mean 'demo/oracle'?"),
        ("![x](http://127.0.0.1/x.png)", "there is no model '![x](http://127.0.0.1/x.png)'"),
    ],
)
def test_a_model_that_cannot_be_is_a_sentence_and_starts_nothing(
    cache: Path, name: str, sentence: str
) -> None:
    app = open_lora()
    app.selectbox(key="lora_model").set_value(OTHER).run()
    assert "Give the folder of a model" in words(app)
    app.text_input(key="lora_other_model").set_value(name).run()
    assert not app.exception
    assert sentence in "\n".join(text.value for text in app.text)
    assert "Start" not in labels(app)
    assert "No adapter yet" in words(app), "the rest of the page is there"
    assert not cache.exists()


def test_an_adapter_is_no_base(cache: Path) -> None:
    record = write_adapter(cache, state="trained")
    folder = adapter_directory(cache, record.key)
    config = {"peft_type": "LORA", "base_model_name_or_path": BASE}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    app = open_lora()
    app.selectbox(key="lora_model").set_value(OTHER).run()
    app.text_input(key="lora_other_model").set_value(str(folder)).run()
    assert "is itself an adapter" in words(app)
    assert "Start" not in labels(app)
    assert record.name not in app.selectbox(key="lora_model").options
    app.switch_page("pages/run.py").run()
    assert record.name in app.selectbox(key="run_model").options


def test_no_more_gap_samples_are_promised_than_there_are_train_samples(cache: Path) -> None:
    app = choose_small(open_lora())
    app.number_input(key="lora_top").set_value(33).run()
    assert "at most 32" in words(app)


def test_a_rate_of_zero_is_refused(cache: Path) -> None:
    app = choose_small(open_lora())
    app.number_input(key="lora_rate").set_value(0.0).run()
    assert "learning rate must be a positive number, not 0.0" in words(app)
    assert "Start" not in labels(app)


def test_two_clicks_are_one_job(cache: Path) -> None:
    app = choose_small(open_lora())
    app.button(key="start_lora").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert row.kind == "finetune"
    assert row.request == request_of(SMALL)
    assert "Cancel" in labels(app)
    second_tab = choose_small(open_lora())
    second_tab.button(key="start_lora").click().run()
    assert [one.pid for one in jobs.jobs(cache)] == [row.pid]


@pytest.mark.slow
def test_a_training_is_started_and_shows_before_and_after(cache: Path) -> None:
    app = choose_small(open_lora())
    app.button(key="start_lora").click().run()
    (row,) = jobs.jobs(cache)
    assert follow(cache, row.job_key).state == "done", jobs.tail(cache, row.job_key)
    app.run()
    assert not app.exception
    (adapter,) = adapters(cache)
    assert adapter_of(jobs.jobs(cache)[0], [adapter]) == adapter
    assert app.selectbox(key="adapter").value == adapter.name
    assert ":green-badge[done]" in badges(app)
    assert "the last took" in words(app)
    table = tables(app)
    assert "none (the base)" in table
    assert "Synergy (bits)" in table
    assert {"Show samples", "Compare with base", "Show before and after"} <= set(labels(app))
    app.button(key=f"show_spectra_{row.job_key}").click().run()
    assert not app.exception
    assert {BASE, adapter.name} <= set(app.multiselect(key="models").value)


def test_an_adapter_is_shown_before_and_after_on_test_samples(cache: Path) -> None:
    (record,) = build_adapters(cache, "pid")
    app = open_lora()
    table = tables(app)
    rows = [line.split() for line in table.splitlines() if "Synergy (bits)" in line]
    assert ["left", "Synergy", "(bits)", "0.200", "0.600", "+0.400"] in [row[1:7] for row in rows]
    assert "Samples: left 15, right 30." in words(app)
    assert "Train samples" in table
    assert "gap samples" in table
    assert record.key in words(app)


def test_strategies_on_the_same_base_stand_in_one_table(cache: Path) -> None:
    build_adapters(cache, "pid", "uniform", "fp")
    app = open_lora()
    frame = next(one.value for one in app.dataframe if "Adapter" in one.value.columns)
    assert list(frame["Strategy"]) == ["none (the base)", "fp", "pid", "uniform"]
    assert str(frame["Synergy (bits)"].tolist()[0]).startswith("0.200 (0.150 to 0.250)")


def test_the_address_chooses_an_adapter_and_a_wrong_one_is_said(cache: Path) -> None:
    first, newest = build_adapters(cache, "pid", "uniform")
    assert open_lora().selectbox(key="adapter").value == newest.name
    app = open_lora(adapter=first.name)
    assert app.selectbox(key="adapter").value == first.name
    assert "The address asks for adapter “nothing”" in words(open_lora(adapter="nothing"))


def test_uniform_has_no_scores_to_draw(cache: Path) -> None:
    build_adapters(cache, "uniform")
    assert "The strategy uniform needs no scores of train samples." in words(open_lora())


def test_gap_samples_are_shown_with_their_question(cache: Path) -> None:
    build_adapters(cache, "pid")
    page = words(open_lora())
    assert "Question 0?" in page
    assert "left, train split, 1.000 bits" in page


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("training", "Its training has not ended"),
        ("trained", "It is trained and not measured yet"),
        ("diverged", "Its training diverged"),
    ],
)
def test_an_unfinished_adapter_says_so(cache: Path, state: str, sentence: str) -> None:
    write_adapter(cache, state=state, losses=2, warnings=("a ![warning](http://x.org/y.png)",))
    app = open_lora()
    page = words(app)
    assert sentence in page
    assert "No estimates of before and after" in page
    assert "Warning: a ![warning](http://x.org/y.png)" in [text.value for text in app.text]
    assert app.button(key="adapter_samples").disabled


def test_the_loss_is_drawn_while_a_training_goes_on(cache: Path) -> None:
    options = FinetuneOptions(model=BASE, benchmark="digits_vqa", limit=32)
    request = request_of(options)
    row = jobs.open_or_create(cache, "finetune", request, title_of(options))
    jobs.claim(cache, row.job_key)
    write_adapter(
        cache, state="training", losses=2, options={**request, "learning_rate": 0.003}, steps=2
    )
    app = open_lora()
    assert len(shown_losses(app)[0]["data"][0]["x"]) == 2
    append_loss(cache, "0" * 16, LossPoint(step=3, epoch=0.75, loss=0.1, rate=1e-3))
    app.run()
    first = shown_losses(app)[0]
    assert len(first["data"][0]["x"]) == 3
    assert first["layout"]["yaxis"]["type"] == "linear"
    app.toggle(key="lora_log").set_value(True).run()
    assert shown_losses(app)[0]["layout"]["yaxis"]["type"] == "log"


def test_jobs_of_both_kinds_stand_on_the_run_page_and_one_kind_here(cache: Path) -> None:
    jobs.open_or_create(cache, "profile", {"model": "m"}, "a profile")
    jobs.open_or_create(cache, "finetune", {"model": "m"}, "a training")
    app = open_lora()
    assert "a training" in words(app)
    assert "a profile" not in words(app)
    app.switch_page("pages/run.py").run()
    assert not app.exception
    assert {"a training", "a profile"} <= {text.value for text in app.text}
    assert ":violet-badge[LoRA-PID]" in badges(app)


def test_a_broken_adapter_is_passed_over(cache: Path) -> None:
    build_adapters(cache, "pid")
    folder = adapter_directory(cache, "f" * 16)
    folder.mkdir(parents=True)
    (folder / "record.json").write_text("{")
    assert len(open_lora().selectbox(key="adapter").options) == 1


def test_the_way_to_the_comparison_names_both_models(cache: Path) -> None:
    (record,) = build_adapters(cache, "pid")
    app = open_lora()
    app.button(key="adapter_compare").click().run()
    assert not app.exception
    assert app.selectbox(key="a").value == BASE
    assert app.selectbox(key="b").value == record.name


def test_the_way_to_the_samples_opens_those_of_the_adapted_model(cache: Path) -> None:
    (record,) = build_adapters(cache, "pid")
    app = open_lora()
    app.button(key="adapter_samples").click().run()
    assert not app.exception
    assert app.selectbox(key="model").value == record.name
    assert app.button(key="lora_pid").disabled
    assert "has an adapter already" in words(app)


def test_a_sample_of_the_train_split_is_not_promised_to_be_left_out() -> None:
    origin = Origin(model="m", benchmark="b", subset="left", sample_id="s", split="train")
    assert "may be one of those that are trained on" in sentence_of(origin)
    assert "GapScore undefined" in sentence_of(origin)


def test_estimates_made_with_other_settings_are_said_to_be() -> None:
    before = record("left", settings={"draws": 4}, n=15)
    after = record("left", settings={"draws": 3}, n=10)
    other = record("right", settings={"draws": 3}, n=15)
    pairs = [Pair(before=before, after=after), Pair(before=other, after=other)]
    (sentence,) = unlike(pairs)
    assert sentence.endswith("draws (4 and 3), samples (15 and 10). Subsets: left.")


def test_before_is_the_estimate_with_the_settings_of_after() -> None:
    adapter = AdapterRecord(
        key="0" * 16, name="b+pid-000000", base="b", base_weights="", benchmark="x", strategy="pid",
        options={"subset": "synergy"}, n_train=1, n_gap=1, n_shortcut=0, mean_weight=1.0, steps=1,
        total_steps=1, state="profiled", base_run_key="1" * 16, run_key="2" * 16,
    )  # fmt: skip
    befores = [
        record(subset, run_key="1" * 16, settings={"draws": draws}, estimate_key=f"{subset}{draws}")
        for subset in ("language", "synergy")
        for draws in (3, 4)
    ]
    afters = [
        record(subset, run_key="2" * 16, settings={"draws": 3}, estimate_key=f"{subset} after")
        for subset in ("all", "language", "synergy")
    ]
    train = record("synergy", run_key="2" * 16, split="train", estimate_key="train")
    pairs = pairs_of(adapter, [*befores, *afters, train])
    assert [pair.before.estimate_key for pair in pairs] == ["synergy3", "language3"]
    assert [pair.after.estimate_key for pair in pairs] == ["synergy after", "language after"]
