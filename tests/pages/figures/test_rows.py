from itertools import pairwise

from pages.figures.rows import LONGEST_LABEL, arrange, row_names, short_labels
from tests.pages.spectra import ideal_records, record


def test_one_model_titles_the_chart_and_its_subsets_are_the_rows() -> None:
    arrangement = arrange(ideal_records())
    assert [title for title, _ in arrangement.titles] == ["oracle"]
    assert [row.label for row in arrangement.rows] == ["synergy", "vision", "language", "redundant"]


def test_one_subset_titles_the_chart_and_the_models_are_the_rows() -> None:
    records = [record("synergy", model=model) for model in ("demo/a", "demo/b")]
    arrangement = arrange(records, group="model")
    assert [title for title, _ in arrangement.titles] == ["synergy"]
    assert [row.label for row in arrangement.rows] == ["a", "b"]


def test_rows_of_many_models_and_subsets_are_gathered_as_asked() -> None:
    records = ideal_records(("demo/a", "demo/b"))
    assert len(arrange(records, group="subset").titles) == 4
    assert len(arrange(records, group="model").titles) == 2


def test_no_two_rows_or_titles_share_a_place() -> None:
    arrangement = arrange(ideal_records(("demo/a", "demo/b")), group="model")
    places = sorted(
        [row.position for row in arrangement.rows] + [place for _, place in arrangement.titles]
    )
    assert all(second - first >= 30 for first, second in pairwise(places))
    assert arrangement.height > places[-1]


def test_short_labels_stay_unique() -> None:
    names = ["one/model", "two/model", "three/" + "x" * 60]
    labels = short_labels(names)
    assert len(set(labels.values())) == 3
    assert labels["one/model"] == "one/model"
    assert len(short_labels(["a/" + "x" * 60]).popitem()[1]) == LONGEST_LABEL


def test_the_pooled_subset_is_named_in_words() -> None:
    records = [record("synergy"), record("all", atoms=(0.5, 0.5, 0.5, 0.5))]
    assert [row.label for row in arrange(records).rows] == ["synergy", "All subsets, pooled"]


def test_benchmarks_of_a_model_are_rows_below_its_name() -> None:
    records = [record("all", benchmark=name) for name in ("mmbench:en", "pope")]
    arrangement = arrange(records)
    assert [title for title, _ in arrangement.titles] == ["oracle"]
    assert [row.label for row in arrangement.rows] == ["mmbench:en", "pope"]


def test_benchmarks_with_subsets_are_titles_above_them() -> None:
    records = [record(subset, benchmark=name) for name in ("a", "b") for subset in ("x", "y")]
    arrangement = arrange(records)
    assert [title for title, _ in arrangement.titles] == ["a", "b"]
    assert [row.label for row in arrangement.rows] == ["x", "y"] * 2


def test_a_second_estimate_of_a_row_is_named_by_its_estimator() -> None:
    records = [record("x"), record("x", estimator="<batch>"), record("y")]
    labels = [row.label for row in arrange(records).rows]
    assert labels == ["x", "<i>by &lt;batch&gt;</i>", "y"]


def test_names_of_rows_say_what_differs_beside_model_and_subset() -> None:
    one = record("all", estimate_key="1")
    assert row_names([one]) == {"1": "demo/oracle, All subsets, pooled"}
    other = record("all", estimate_key="2", benchmark="pope", estimator="batch")
    assert row_names([one, other])["2"] == "demo/oracle, pope, All subsets, pooled, batch"
