"""The matrix shows every model on every benchmark, by family, and no state by colour alone."""

from typing import Any

from data_cache.cells import Cell
from pages.figures.coverage_matrix import FEWEST_COLUMNS, LOOKS, MARKS, coverage_matrix


def cell(model: str = "m", benchmark: str = "b", **changes: Any) -> Cell:
    fields: dict[str, Any] = {
        "model": model,
        "family": "llava",
        "benchmark": benchmark,
        "measured": 30,
        "by_split": {"train": 0, "test": 30},
        "of": {"train": 90, "test": 30},
        "is_whole": True,
        "spectra": "current",
        "estimates": 5,
        "splits_with_spectra": ("test",),
        "runs": 1,
    }
    return Cell(**(fields | changes))


def traces(cells: list[Cell]) -> dict[str, Any]:
    return {trace.name or "": trace for trace in coverage_matrix(cells).data}


def test_every_cell_can_be_clicked_and_names_its_model_and_benchmark() -> None:
    cells = [cell("m", "b"), cell("m", "c", measured=0), cell("n", "b")]
    (targets,) = [t for t in coverage_matrix(cells).data if t.customdata is not None]
    assert [list(data) for data in targets.customdata] == [
        ["m", "b", True],
        ["m", "c", False],
        ["n", "b", True],
    ]
    assert all(trace.hoverinfo == "skip" for trace in coverage_matrix(cells).data[:-1])


def test_a_bar_is_as_long_as_what_is_measured_of_the_test_split() -> None:
    half = cell("n", measured=15, by_split={"train": 0, "test": 15})
    bar = traces([cell("m"), half])["spectra"]
    assert bar.x[1] == bar.x[0] / 2
    assert bar.base[0] == bar.base[1]


def test_the_train_split_has_a_bar_of_its_own() -> None:
    both = cell(measured=75, by_split={"train": 45, "test": 30})
    drawn = traces([both])
    assert drawn["train split"].x[0] < drawn["spectra"].x[0] / 2
    assert "train split" not in traces([cell()])


def test_states_differ_in_pattern_and_marks_in_shape() -> None:
    assert len({look.pattern for look in LOOKS.values()}) == len(LOOKS)
    assert len({symbol for _, symbol, *_ in MARKS.values()}) == len(MARKS)
    drawn = traces(
        [
            cell("a", spectra="none", estimates=0),
            cell("b", spectra="behind", inner_layers=28),
            cell("c", work="running"),
            cell("d", work="stopped", other_edition=True),
        ]
    )
    assert {look.label for look in LOOKS.values()} | {label for label, *_ in MARKS.values()} <= {
        *drawn
    }


def test_models_are_gathered_by_family_and_7b_comes_before_13b() -> None:
    cells = [
        cell("z-13B", family="b"),
        cell("z-7B", family="b"),
        cell("z-7B+pid", family="b"),
        cell("y", family="a"),
    ]
    axis = coverage_matrix(cells).layout.yaxis
    ordered = [text for _, text in sorted(zip(axis.tickvals, axis.ticktext, strict=True))]
    assert ordered == ["<b>a</b>", "y", "<b>b</b>", "z-7B", "z-7B+pid", "z-13B"]


def test_one_benchmark_does_not_cross_the_screen() -> None:
    assert coverage_matrix([cell()]).layout.xaxis.range == (0, FEWEST_COLUMNS)
    six = [cell(benchmark=f"b{i}") for i in range(6)]
    assert coverage_matrix(six).layout.xaxis.range == (0, 6)


def test_names_are_no_markup() -> None:
    hostile = "<b>x</b><img src=http://example.org>"
    figure = coverage_matrix([cell(hostile, hostile, family=hostile)])
    drawn = [*figure.layout.xaxis.ticktext, *figure.layout.yaxis.ticktext]
    for trace in figure.data:
        drawn += [*(trace.hovertext or ()), *(trace.text or ()), trace.name or ""]
    assert "<img" not in "".join(drawn)
