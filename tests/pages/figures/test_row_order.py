from pages.figures.row_order import SIZE, RowOrder, sort_rows
from tests.pages.spectra import record


def of(model: str, synergy: float, total: float = 2.0, subset: str = "synergy", **changes):
    return record(subset, model=model, atoms=(total - synergy, 0, 0, synergy), **changes)


def names(records) -> list[str]:
    return [one.model for one in records]


def test_rows_stay_as_chosen_unless_asked() -> None:
    rows = (of("b", 0.1), of("a", 1.0))
    assert sort_rows(rows, RowOrder()) == rows


def test_the_largest_synergy_comes_first_or_last() -> None:
    rows = (of("a", 0.5), of("b", 1.5), of("c", 1.0))
    assert names(sort_rows(rows, RowOrder(label="Synergy"))) == ["b", "c", "a"]
    lowest = RowOrder(label="Synergy", highest_first=False)
    assert names(sort_rows(rows, lowest)) == ["a", "c", "b"]


def test_shares_are_sorted_as_shares_and_undefined_ones_come_last() -> None:
    rows = (of("tiny", 0.001, total=0.002), of("large", 1.0, total=4.0), of("pure", 0.9, total=1.0))
    order = RowOrder(label="Synergy")
    assert names(sort_rows(rows, order)) == ["large", "pure", "tiny"]
    assert names(sort_rows(rows, order, unit="shares")) == ["pure", "large", "tiny"]
    lowest = RowOrder(label="Synergy", highest_first=False)
    assert names(sort_rows(rows, lowest, unit="shares")) == ["large", "pure", "tiny"]


def test_rows_are_sorted_below_titles_that_stay_where_they_are() -> None:
    rows = [
        of(model, bits, subset=subset)
        for subset, model, bits in (
            ("x", "a", 0.1),
            ("x", "b", 0.2),
            ("y", "a", 2.0),
            ("y", "b", 1.0),
        )
    ]
    found = sort_rows(rows, RowOrder(label="Synergy"))
    assert [(one.subset, one.model) for one in found] == [
        ("x", "b"),
        ("x", "a"),
        ("y", "a"),
        ("y", "b"),
    ]


def test_sizes_are_those_of_the_runs() -> None:
    rows = (of("small", 0, run_key="s"), of("unknown", 0, run_key="u"), of("large", 0, run_key="l"))
    found = sort_rows(rows, RowOrder(label=SIZE), parameters={"s": 3, "l": 7})
    assert names(found) == ["large", "small", "unknown"]
