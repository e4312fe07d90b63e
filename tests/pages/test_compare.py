"""The Compare page on real caches: bars, differences, and the samples that models disagree on."""

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.ingest import ingest
from data_cache.samples import Benchmark
from pages.widgets.disagreement_list import carried_by
from tests.data_cache.answers import answered, estimated, right, wrong
from tests.data_cache.spools import small_benchmark
from tests.pages.built_once import built_once
from tests.pages.caches import build_cache, write_run
from tests.pages.spectra import record
from tests.pages.test_samples import open_page as open_samples
from tests.pages.test_spectra import APP, charts, words

COUNT = 60


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


@built_once
def build_pair(cache: Path, benchmark: Benchmark | None = None) -> Benchmark:
    """A is always right, B in every second sample, and C never; on the whole benchmark."""
    benchmark = benchmark or small_benchmark(COUNT)
    second = {sample.id for sample in benchmark.samples[::2]}
    answers = {
        "demo/a": right,
        "demo/b": lambda one: right(one) if one.id in second else wrong(one),
        "demo/c": wrong,
    }
    for model, given in answers.items():
        estimated(cache, benchmark, model=model, answers=given)
    return benchmark


def open_compare(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/compare.py").run()
    assert not app.exception, app.exception
    return app


def numbers(app: AppTest) -> dict[str, dict[str, str]]:
    """The table of both models, by quantity."""
    return app.dataframe[0].value.set_index("").to_dict("index")


def test_without_a_cache_the_page_says_how_to_fill_it(cache: Path) -> None:
    assert "demo load" in words(open_compare())


def test_one_model_alone_is_answered_with_the_command_for_another(cache: Path) -> None:
    build_cache(cache, [record()])
    page = words(open_compare())
    assert "Two models are needed" in page
    assert "digits_vqa: only demo/oracle has a spectrum" in page
    assert "profile --model demo/fusion-small --benchmark digits_vqa" in page


def test_a_second_model_without_an_estimate_is_answered_with_that_command(cache: Path) -> None:
    build_cache(cache, [record()])
    write_run(cache, "demo/new")
    ingest(cache)
    assert "estimate --model demo/new --benchmark digits_vqa" in words(open_compare())


def test_the_first_two_models_of_the_sidebar_are_compared(cache: Path) -> None:
    build_pair(cache)
    app = open_compare()
    assert [app.selectbox(key=key).value for key in ("a", "b")] == ["demo/a", "demo/b"]
    bars, dots = charts(app)[:2]
    assert [trace["name"] for trace in bars["data"]] == ["A: a", "B: b"]
    assert any(trace.get("name") == "B Synergy" for trace in dots["data"])
    app.multiselect(key="models").set_value(["demo/c", "demo/b"]).run()
    assert not app.exception
    assert [app.selectbox(key=key).value for key in ("a", "b")] == ["demo/a", "demo/b"]


def test_the_address_names_the_two_and_swapping_turns_every_sign(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/c", b="demo/a")
    before = numbers(app)
    assert before["Accuracy (%)"]["A"] == "98.0"
    app.button(key="swap").click().run()
    assert not app.exception
    assert [app.selectbox(key=key).value for key in ("a", "b")] == ["demo/a", "demo/c"]
    assert app.query_params["b"] == "demo/c", "or the address would not be the view"
    after = numbers(app)
    for part in ("Redundancy (bits)", "Synergy (bits)", "Total (bits)"):
        assert (after[part]["A"], after[part]["B"]) == (before[part]["B"], before[part]["A"])
        assert float(after[part]["B - A"]) == -float(before[part]["B - A"])


def test_an_unknown_model_falls_back_and_is_named(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/none", b="demo/c")
    assert app.selectbox(key="a").value == "demo/a"
    assert "a “demo/none”" in words(app)


def test_a_model_is_not_compared_with_itself(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/b", b="demo/b")
    assert "A and B are both demo/b" in words(app)
    assert not charts(app)


def test_the_same_samples_are_paired_and_the_caption_says_so(cache: Path) -> None:
    build_pair(cache)
    page = words(open_compare())
    assert f"a bootstrap over {COUNT // 2} groups" in page
    assert "holds both fitted decompositions fixed" in page
    assert f"Both models answered the same {COUNT} samples." in page


def test_estimates_with_influences_are_compared_exactly_and_their_shares_too(cache: Path) -> None:
    benchmark = small_benchmark(COUNT)
    for model in ("demo/a", "demo/b"):
        estimated(cache, benchmark, model=model, influences=True)
    app = open_compare()
    assert "what each sample adds to the two estimates, their fits included" in words(app)
    assert f"over {COUNT // 2} groups of samples" in words(app)
    assert numbers(app)["Total (bits)"]["95 % of B - A"] != ""
    assert numbers(app)["Synergy (% of total)"]["95 % of B - A"] != ""


def test_other_samples_are_not_paired_and_the_page_says_how_many_are_shared(cache: Path) -> None:
    benchmark = small_benchmark(COUNT)
    ids = [sample.id for sample in benchmark.samples]
    estimated(cache, benchmark, model="demo/a", ids=ids[:40])
    estimated(cache, benchmark, model="demo/b", answers=wrong, ids=ids[30:])
    app = open_compare()
    page = words(app)
    assert "in quadrature" in page
    assert "A has 40 samples and B 30; 10 are in common" in page
    assert numbers(app)["Total (bits)"]["95 % of B - A"] == ""
    assert "1 to 10 of 10 samples" in page


def test_two_versions_of_a_benchmark_share_nothing(cache: Path) -> None:
    estimated(cache, small_benchmark(20), model="demo/a")
    estimated(cache, small_benchmark(24), model="demo/b")
    page = words(open_compare())
    assert "none of them in common" in page
    assert "in quadrature" in page


def test_differing_settings_are_named(cache: Path) -> None:
    benchmark = small_benchmark(20)
    estimated(cache, benchmark, model="demo/a")
    estimated(cache, benchmark, model="demo/b", settings={"tau": 0.0, "draws": 2})
    assert "different settings" in (page := words(open_compare()))
    assert "tau (0.3 and 0.0)" in page
    assert "draws" not in page.split("different settings")[1].split(".\n")[0]


def test_models_without_a_subset_in_common_are_said_to_have_none(cache: Path) -> None:
    build_cache(cache, [record("synergy", model="demo/a"), record("vision", model="demo/b")])
    app = open_compare()
    assert "No subset in common" in words(app)
    assert not charts(app)


def test_who_is_right_is_counted_and_filtered(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/a", b="demo/b")
    half = COUNT // 2
    assert app.dataframe[1].value.loc["A right"].tolist() == [str(half), str(half), "", str(half)]
    assert app.dataframe[1].value.loc["A wrong"].tolist() == ["0", "0", "0", "0"]
    assert f"1 to 10 of {half} samples" in words(app)
    app.selectbox(key="differing").set_value("only B right").run()
    assert not app.exception
    assert "No sample is of this kind" in words(app)
    app.selectbox(key="differing").set_value("only A right").run()
    assert f"1 to 10 of {half} samples" in words(app)


def test_pages_and_order_are_in_the_address(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(
        a="demo/a", b="demo/b", differing_page="3", differing_order="Benchmark order"
    )
    page = words(app)
    assert "21 to 30 of 30 samples" in page
    assert "Question 59?" in page
    assert "Question 1?" not in page


def test_another_filter_begins_with_its_first_page(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/a", b="demo/c", differing_page="2")
    assert "11 to 20 of 60" in words(app)
    app.selectbox(key="differing").set_value("only A right").run()
    assert "1 to 10 of 60" in words(app)


@pytest.mark.parametrize(("letter", "model"), [("a", "demo/b"), ("b", "demo/c")])
def test_a_sample_opens_for_either_model_even_if_the_sidebar_lacks_it(
    cache: Path, letter: str, model: str
) -> None:
    build_pair(cache)
    app = open_compare(a="demo/b", b="demo/c", differing_order="Benchmark order")
    app.multiselect(key="models").set_value(["demo/a"]).run()
    app.button(key=f"open_{letter}_1").click().run()
    assert not app.exception
    assert app.title[0].value == "Samples"
    assert app.selectbox(key="model").value == model
    assert app.query_params["sample"] == "s0000"
    assert "Question 0?" in words(app)
    assert set(app.multiselect(key="models").value) == {"demo/a", model}


def test_four_models_are_compared_with_the_first(cache: Path) -> None:
    benchmark = build_pair(cache)
    estimated(cache, benchmark, model="demo/d", answers=lambda one: -1)
    app = open_compare(a="demo/d", b="demo/a", c="demo/b", d="demo/c")
    found = numbers(app)["Synergy (bits)"]
    for letter in "BCD":
        assert float(found[f"{letter} - A"]) == pytest.approx(
            float(found[letter]) - float(found["A"]), abs=0.0015
        )
        assert found[f"95 % of {letter} - A"] != ""
    bars, dots = charts(app)[:2]
    assert [trace["name"] for trace in bars["data"]] == ["A: d", "B: a", "C: b", "D: c"]
    assert {"B Synergy", "C Synergy", "D Synergy"} <= {str(one.get("name")) for one in dots["data"]}
    assert f"All 4 models answered the same {COUNT} samples." in words(app)
    standing = app.dataframe[1].value
    half = str(COUNT // 2)
    assert standing.loc["A"].tolist() == ["0", "0", "0", "", "", ""]
    assert standing.loc["B"].tolist() == [str(COUNT), half, "0", str(COUNT), "0", "0"]
    assert standing.loc["C"].tolist() == [half, "0", "0", half, "0", "0"]
    app.selectbox(key="differing").set_value("only B right").run()
    assert f"1 to 10 of {half} samples" in words(app)
    app.selectbox(key="d").set_value("demo/b").run()
    assert "C and D are both demo/b" in words(app)
    app.selectbox(key="d").set_value(None).run()
    assert f"All 3 models answered the same {COUNT} samples." in words(app)


def test_what_carried_the_answers_and_the_order_are_in_the_address(cache: Path) -> None:
    benchmark = small_benchmark(COUNT)
    one, zero = [1.0] * COUNT, [0.0] * COUNT
    rising = [i / COUNT for i in range(COUNT)]
    for model, atoms in (
        ("demo/a", {"synergy": one, "unique_2": zero}),
        ("demo/b", {"synergy": zero, "unique_2": rising}),
    ):
        estimated(
            cache,
            benchmark,
            model=model,
            numbers=dict.fromkeys(("redundancy", "unique_1"), zero) | atoms,
        )
    app = open_compare(
        differing="all samples",
        carried="A synergy, B unique language",
        differing_order="Unique language, largest difference",
    )
    page = words(app)
    assert f"1 to 10 of {COUNT - 1} samples" in page, "B's first sample has no positive atom"
    assert f"Question {COUNT - 1}?" in page
    assert "unique language differs by 0.98 bits" in page
    assert "A synergy, B no atom is positive" in app.selectbox(key="carried").options
    matrix = charts(app)[4]
    counts = dict(zip(*(matrix["data"][0][name] for name in ("x", "text")), strict=True))
    assert counts == {"Unique<br>language": str(COUNT - 1), "None": "1"}
    app.selectbox(key="differing").set_value("any disagreement").run()
    assert "No sample is of this kind" in words(app)


def test_accuracy_and_d_vision_differ_with_an_interval_over_the_same_questions(
    cache: Path,
) -> None:
    benchmark = small_benchmark(COUNT)
    half = {sample.id for sample in benchmark.samples[::2]}
    for model, accuracy, given in (
        ("demo/a", 1.0, right),
        ("demo/b", 0.5, lambda one: right(one) if one.id in half else wrong(one)),
    ):
        estimated(
            cache, benchmark, model=model, answers=given, accuracy=accuracy, d_vision=accuracy - 0.5
        )
    found = numbers(open_compare())
    # One of each group's two questions is answered differently: groups do not differ at all.
    assert found["Accuracy (%)"]["B - A"] == "-50.0"
    assert found["Accuracy (%)"]["95 % of B - A"] == "-50.0 to -50.0"
    assert found["D_vision (points)"]["95 % of B - A"] == "-50.0 to -50.0"


def test_one_sample_is_seen_across_models_and_its_neighbours_follow(cache: Path) -> None:
    build_pair(cache)
    app = open_compare(a="demo/a", b="demo/c", sample="s0003", differing_order="Benchmark order")
    page = words(app)
    assert "Question 3?" in page
    assert "A is right, B is wrong, with A." in page, "the right option is B"
    assert "place 4 in the list below the comparison" in page
    assert len(charts(app)) == 4, "distributions and atoms of both"
    app.button(key="close_across").click().run()
    assert "Where they disagree" in words(app)
    app.button(key="across_4").click().run()
    app.button(key="across_right").click().run()
    assert app.query_params["sample"] == "s0004"
    assert "Question 4?" in words(app)
    app.button(key="across_open_b").click().run()
    assert app.title[0].value == "Samples"
    assert app.selectbox(key="model").value == "demo/c"
    assert "Question 4?" in words(app)


def test_an_opened_sample_leads_to_the_models_of_the_sidebar(cache: Path) -> None:
    build_pair(cache)
    app = open_samples(model="demo/c", sample="s0004")
    app.button(key="across").click().run()
    assert not app.exception
    assert app.title[0].value == "Compare"
    assert [app.selectbox(key=key).value for key in "abc"] == ["demo/c", "demo/a", "demo/b"]
    assert "Question 4?" in words(app)


def test_a_sample_that_nobody_has_is_said_and_the_comparison_shown(cache: Path) -> None:
    build_pair(cache)
    page = words(open_compare(sample="s9999"))
    assert "sample “s9999”" in page
    assert "Where they disagree" in page


def test_models_that_never_disagree_are_said_to_agree(cache: Path) -> None:
    benchmark = small_benchmark(20)
    for model in ("demo/a", "demo/b"):
        estimated(cache, benchmark, model=model)
    page = words(open_compare())
    assert "The models give the same answer to every sample" in page


def test_samples_without_text_leave_the_bars(cache: Path) -> None:
    build_cache(cache, [record(model="demo/a"), record(model="demo/b")])
    app = open_compare()
    assert len(charts(app)) == 4, "bars and differences, of atoms and of accuracy"
    assert "none of them in common with their texts" in words(app)


def test_texts_of_a_benchmark_are_shown_as_they_are(cache: Path) -> None:
    bad = "![x](http://example.org/x.png) <img src=x> :material/home:"
    plain = small_benchmark(4)
    samples = tuple(
        dataclasses.replace(one, question=bad, options=(bad, "no"), answer=0)
        for one in plain.samples
    )
    build_pair(cache, Benchmark(name="hostile", samples=samples))
    app = open_compare(a="demo/a", b="demo/c")
    assert bad in [text.value for text in app.text]
    assert all("example.org" not in str(one.value) for one in (*app.markdown, *app.caption))


def test_the_largest_atom_is_named_where_one_is_positive() -> None:
    atoms = {"redundancy": -0.1, "unique_1": -0.2, "unique_2": -1.0, "synergy": 0.0}
    assert carried_by(atoms) == "no atom is positive"
    assert carried_by(dict.fromkeys(atoms)) == "no atoms"


def test_a_run_without_estimates_is_no_choice(cache: Path) -> None:
    benchmark = build_pair(cache)
    answered(cache, benchmark, model="demo/d")
    ingest(cache)
    assert "demo/d" not in open_compare().selectbox(key="a").options
