import pytest

from pages.figures.model_styles import COLOURS, model_styles, two_styles
from pages.figures.pair_bars import (
    PARTS,
    Difference,
    describe,
    describe_differences,
    difference_dots,
    pair_bars,
)
from tests.pages.spectra import record

A = record("mixed", model="org/a", atoms=(0.1, 0.2, 0.3, 0.4))
B = record("mixed", model="org/b", atoms=(0.1, 0.1, 0.1, 0.9), interval={})
STYLES = two_styles(["org/a", "org/b"], "org/a", "org/b")


def test_both_models_have_a_bar_for_every_atom_and_the_total() -> None:
    first, second = pair_bars(A, B, STYLES).data
    assert list(first.x) == pytest.approx([0.1, 0.2, 0.3, 0.4, 1.0])
    assert list(second.x) == pytest.approx([0.1, 0.1, 0.1, 0.9, 1.2])
    assert (first.name, second.name) == ("A: a", "B: b")
    assert (first.marker.color, second.marker.color) == (STYLES[0].colour, STYLES[1].colour)


def test_bars_of_one_row_stand_under_each_other() -> None:
    first, second = pair_bars(A, B, STYLES).data
    assert first.offset + first.width <= second.offset


def test_whiskers_are_the_intervals_that_are_there() -> None:
    first, second = pair_bars(A, B, STYLES).data
    assert list(first.error_x.array) == pytest.approx([0.04] * 4 + [0.0])
    assert list(second.error_x.array) == [0.0] * 5


def test_a_difference_is_filled_where_its_interval_leaves_zero_out() -> None:
    found = {part.field: Difference(value=0.1, interval=(-0.1, 0.3)) for part in PARTS}
    found["synergy"] = Difference(value=0.5, interval=(0.4, 0.6))
    found["total"] = Difference(value=0.2)
    figure = difference_dots(found)
    symbols = {trace.name: trace.marker.symbol for trace in figure.data if trace.error_x.array}
    assert symbols["Synergy"] == "circle"
    assert symbols["Redundancy"] == symbols["Total"] == "circle-open"


def test_zero_stands_in_the_middle_and_noise_is_not_blown_up() -> None:
    found = {part.field: Difference(value=-0.001) for part in PARTS}
    low, high = difference_dots(found).layout.xaxis.range
    assert low == -high
    assert high >= 0.05


def test_two_models_never_share_a_colour() -> None:
    models = [f"m{place}" for place in range(20)]
    styles = model_styles(models)
    for other in models[1:]:
        one, two = two_styles(models, "m0", other)
        assert one == styles["m0"]
        assert one.colour != two.colour in COLOURS


def test_the_bars_are_told_in_words() -> None:
    assert "synergy 0.40 and 0.90" in describe(A, B)
    found = {part.field: Difference(value=0.1, interval=(0.0, 0.2)) for part in PARTS}
    assert "total +0.10 95 % interval 0.000 to 0.200 bits" in describe_differences(found)
