from itertools import pairwise

import pytest

from pages.figures.model_styles import COLOURS, model_styles, styles_apart
from pages.figures.pair_bars import (
    PARTS,
    RATES,
    Difference,
    describe,
    describe_differences,
    difference_dots,
    model_bars,
)
from tests.pages.spectra import record

A = record("mixed", model="org/a", atoms=(0.1, 0.2, 0.3, 0.4))
B = record("mixed", model="org/b", atoms=(0.1, 0.1, 0.1, 0.9), interval={})
STYLES = styles_apart(["org/a", "org/b"], ["org/a", "org/b"])


def test_both_models_have_a_bar_for_every_atom_and_the_total() -> None:
    first, second = model_bars([A, B], STYLES).data
    assert list(first.x) == pytest.approx([0.1, 0.2, 0.3, 0.4, 1.0])
    assert list(second.x) == pytest.approx([0.1, 0.1, 0.1, 0.9, 1.2])
    assert (first.name, second.name) == ("A: a", "B: b")
    assert (first.marker.color, second.marker.color) == (STYLES[0].colour, STYLES[1].colour)


def test_bars_of_one_row_stand_under_each_other() -> None:
    first, second = model_bars([A, B], STYLES).data
    assert first.offset + first.width <= second.offset


def test_whiskers_are_the_intervals_that_are_there() -> None:
    first, second = model_bars([A, B], STYLES).data
    assert list(first.error_x.array) == pytest.approx([0.04] * 4 + [0.0])
    assert list(second.error_x.array) == [0.0] * 5


def test_a_difference_is_filled_where_its_interval_leaves_zero_out() -> None:
    found = {part.field: Difference(value=0.1, interval=(-0.1, 0.3)) for part in PARTS}
    found["synergy"] = Difference(value=0.5, interval=(0.4, 0.6))
    found["total"] = Difference(value=0.2)
    figure = difference_dots([found])
    symbols = {trace.name: trace.marker.symbol for trace in figure.data if trace.error_x.array}
    assert symbols["B Synergy"] == "circle"
    assert symbols["B Redundancy"] == symbols["B Total"] == "circle-open"


def test_zero_stands_in_the_middle_and_noise_is_not_blown_up() -> None:
    found = {part.field: Difference(value=-0.001) for part in PARTS}
    low, high = difference_dots([found]).layout.xaxis.range
    assert low == -high
    assert high >= 0.05


def test_models_beside_each_other_never_share_a_colour() -> None:
    models = [f"m{place}" for place in range(20)]
    styles = model_styles(models)
    for other in models[1:]:
        one, two = styles_apart(models, ["m0", other])
        assert one == styles["m0"]
        assert one.colour != two.colour in COLOURS
    assert len({one.colour for one in styles_apart(models, ["m0", "m8", "m1", "m9"])}) == 4


def test_four_models_stand_under_each_other_and_lead_to_their_estimates() -> None:
    records = [record("mixed", model=f"org/{name}") for name in "abcd"]
    bars = model_bars(records, STYLES * 2).data
    assert [one.name for one in bars] == ["A: a", "B: b", "C: c", "D: d"]
    ends = [(one.offset, one.offset + one.width) for one in bars]
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    assert {one.customdata[0][0] for one in bars} == {one.estimate_key for one in records}
    found = {part.field: Difference(value=0.1) for part in PARTS}
    dots = [one for one in difference_dots([found] * 3).data if one.customdata is not None]
    synergy = [one for one in dots if one.customdata[0][0] == "synergy"]
    assert [one.name for one in synergy] == ["B Synergy", "C Synergy", "D Synergy"]
    assert synergy[0].y[0] < synergy[1].y[0] < synergy[2].y[0]


def test_accuracy_is_in_per_cent_and_a_number_that_was_not_run_has_no_bar() -> None:
    one = record("mixed", model="org/a", accuracy=0.5, d_vision=None)
    two = record("mixed", model="org/b", accuracy=0.75, d_vision=0.2)
    first, second = model_bars([one, two], STYLES, parts=RATES).data
    assert (list(first.x), list(second.x)) == ([50.0], [75.0, 20.0])
    assert describe([one, two], parts=RATES) == (
        "org/a and org/b: accuracy 50.00 and 75.00, d_vision not run and 20.00 per cent and points."
    )
    figure = difference_dots([{"accuracy": Difference(value=25.0)}], parts=RATES)
    assert "(points)" in figure.layout.xaxis.title.text


def test_the_bars_are_told_in_words() -> None:
    assert "synergy 0.40 and 0.90" in describe([A, B])
    found = {part.field: Difference(value=0.1, interval=(0.0, 0.2)) for part in PARTS}
    assert "total +0.10 95 % interval 0.000 to 0.200 bits" in describe_differences([found])
