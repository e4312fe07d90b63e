"""What is in a cell is said in words, and names are cut without becoming the same."""

from pages.figures.cell_words import describe, lines_of, narrow_labels, number_of
from tests.pages.figures.test_coverage_matrix import cell


def test_numbers_say_how_many_or_how_much() -> None:
    part = {"measured": 129, "by_split": {"train": 0, "test": 129}}
    assert number_of(cell(measured=1408, by_split={"train": 0, "test": 1408})) == "1.4k"
    assert number_of(cell(**part, of={"train": 0, "test": 1000})) == "13 %"
    assert number_of(cell(**part, of={"train": 0, "test": 100_000})) == "1 %"
    assert number_of(cell(measured=1_999, by_split={"train": 0, "test": 1_999}, of={"test": 2_000}))
    assert number_of(cell(measured=70, by_split={"train": 0, "test": 0})) == "70"
    assert number_of(cell(measured=0)) == "\u2013"
    almost = {"by_split": {"train": 0, "test": 1999}, "of": {"train": 0, "test": 2000}}
    assert number_of(cell(measured=1999, **almost)) == "99 %", "not all is not 100 %"


def test_a_cell_says_in_words_what_is_wrong_with_it() -> None:
    said = lines_of(
        cell(
            is_whole=False,
            inner_layers=28,
            spectra="behind",
            other_edition=True,
            work="stopped",
            imported=True,
            runs=3,
        )
    )
    for words in (
        "test: 30 of 30 known samples",
        "28 inner ones, none of them with spectra",
        "estimate again",
        "other samples",
        "stopped",
        "imported",
        "3 runs",
    ):
        assert any(words in line for line in said), words
    assert lines_of(cell(measured=0)) == ["not measured"]


def test_it_is_described_for_those_who_do_not_see_it() -> None:
    words = describe([cell("m"), cell("n", measured=0)])
    assert words.startswith("2 models by 1 benchmarks: 1 of 2 cells are measured")
    assert "m on b: test: 30 of 30 samples" in words


def test_long_names_are_cut_and_stay_different() -> None:
    names = [f"organisation/model-with-a-long-name-{size}B-Instruct" for size in range(26)]
    labels = narrow_labels(names)
    assert len(set(labels.values())) == 26
    assert max(map(len, labels.values())) <= 20
    assert narrow_labels(["a/m", "b/m"]) == {"a/m": "a/m", "b/m": "b/m"}
