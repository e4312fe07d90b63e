import pytest

from data_cache.published import published_values
from pages.figures.family_scatter import (
    FAMILY,
    Axes,
    FamilyPoint,
    arrows,
    describe,
    diameter,
    family_scatter,
    median_of,
)
from pages.figures.family_styles import family_styles
from pages.figures.quantities import QUANTITIES
from tests.pages.spectra import record

BY_KEY = {one.key: one for one in QUANTITIES}
AXES = Axes(x=BY_KEY["unique_2"], y=BY_KEY["synergy"], unit="bits")


def point(model, family="A", u2=0.2, s=0.4, parameters=None, **changes):
    return FamilyPoint(
        record=record("mixed", model=model, family=family, atoms=(0.1, 0.1, u2, s), **changes),
        parameters=parameters,
    )


def drawn(points, axes=AXES):
    families = sorted({one.family for one in points})
    return family_scatter(points, family_styles(families), axes)


def clickable(figure):
    """The points of models; a median leads to its family instead."""
    return [
        trace
        for trace in figure.data
        if trace.customdata is not None and trace.customdata[0][0] != FAMILY
    ]


def test_arrows_chain_the_sizes_of_a_family_and_skip_what_has_none() -> None:
    points = [
        point("a-7B", parameters=7),
        point("a-1B", parameters=1),
        point("a-13B", parameters=13),
        point("a-1B+pid", parameters=1),
        point("a-x"),
        point("b-3B", "B", parameters=3),
    ]
    assert [(one.record.model, other.record.model) for one, other in arrows(points)] == [
        ("a-1B", "a-7B"),
        ("a-7B", "a-13B"),
    ]
    assert len(drawn(points).layout.annotations) == 2


def test_models_of_one_size_share_their_arrows() -> None:
    points = [point("x/a-1B", parameters=1), point("y/a-1B", parameters=1)]
    assert len(arrows([*points, point("x/a-7B", parameters=7)])) == 2


def test_two_lines_of_one_family_share_no_arrow() -> None:
    points = [
        point(f"demo/{line}-{size}", parameters=parameters)
        for line in ("fusion", "language")
        for size, parameters in (("small", 1), ("large", 2))
    ]
    found = {(one.record.model, other.record.model) for one, other in arrows(points)}
    assert found == {
        (f"demo/{line}-small", f"demo/{line}-large") for line in ("fusion", "language")
    }


def test_an_arrow_stops_at_the_edge_of_its_points() -> None:
    points = [point("a-1B", parameters=10**9), point("a-7B", parameters=7 * 10**9)]
    arrow = drawn(points).layout.annotations[0]
    assert arrow.standoff > diameter(7 * 10**9) / 2
    assert arrow.startstandoff > diameter(10**9) / 2


def test_the_median_needs_two_models_that_are_not_adapted() -> None:
    one, two = point("a", u2=0.2, s=0.2), point("b", u2=0.4, s=0.8)
    assert median_of([one, point("a+pid")], AXES) is None
    assert median_of([one, two, point("a+pid", u2=9, s=9)], AXES) == pytest.approx((0.3, 0.5))


def test_areas_grow_with_the_logarithm_of_the_size() -> None:
    areas = [diameter(size) ** 2 for size in (10**6, 10**8, 10**10)]
    assert areas[2] - areas[1] == pytest.approx(areas[1] - areas[0])
    assert diameter(10) == diameter(10**5) > 0


def test_adapted_models_are_hollow() -> None:
    figure = drawn([point("a"), point("a+pid-0123ab")])
    symbols = {
        trace.hovertext[0].split("</b>")[0]: trace.marker.symbol for trace in clickable(figure)
    }
    assert symbols == {"<b>a": "circle", "<b>a+pid-0123ab": "circle-open"}
    assert "adapted (LoRA)" in [trace.name for trace in figure.data]


def test_a_point_carries_its_estimate_its_intervals_and_the_gap() -> None:
    trace = clickable(drawn([point("org/a", parameters=7_000_000_000)]))[0]
    assert trace.customdata[0][0] == "org-a-mixed"
    assert trace.error_x.array[0] == pytest.approx(0.04)
    assert trace.error_y.arrayminus[0] == pytest.approx(0.05)
    text = trace.hovertext[0]
    for part in ("org/a", "7.00 B parameters", "Synergy 0.400 bits (95 % interval", "352 samples"):
        assert part in text
    assert "exact within 0.0004 bits" in text


def test_names_cannot_write_into_the_figure() -> None:
    figure = drawn([point("<b>a</b>", "<i>f</i>"), point("c", "<i>f</i>")])
    for trace in figure.data:
        assert "<i>" not in (trace.name or "") or trace.showlegend is False
        assert all("<i>" not in text for text in trace.hovertext or ())
    assert "&lt;b&gt;a" in clickable(figure)[0].hovertext[0]


def test_intervals_follow_the_unit_and_a_share_of_noise_has_no_place() -> None:
    shares = Axes(x=AXES.x, y=AXES.y, unit="shares")
    figure = drawn([point("a", u2=0.2, s=0.6), point("b", u2=0.0, s=-0.195)], shares)
    (trace,) = clickable(figure)
    assert list(trace.x) == [pytest.approx(20)]
    assert trace.error_x.array[0] == pytest.approx(4)


def test_the_first_sixty_four_families_differ_in_colour_or_symbol() -> None:
    styles = family_styles([f"family {place}" for place in range(64)])
    assert len({(one.colour, one.symbol) for one in styles.values()}) == 64


def test_noise_is_not_blown_up() -> None:
    near = dict.fromkeys(("unique_2", "synergy"), (0.0, 0.001))
    figure = drawn([point("a", u2=0.0, s=0.001, interval=near), point("b", u2=0.4, interval=near)])
    low, high = drawn([point("a", u2=0.0, s=0.001, interval=near)]).layout.yaxis.range
    assert high - low == pytest.approx(0.1)
    assert low < 0 < 0.001 < high
    assert figure.layout.xaxis.range is None


def test_accuracies_have_no_whiskers() -> None:
    axes = Axes(x=BY_KEY["accuracy"], y=BY_KEY["d_vision"], unit="bits")
    (trace,) = clickable(drawn([point("a")], axes))
    assert (list(trace.x), list(trace.y)) == ([99], [74])
    assert trace.error_x.array is None


def test_the_points_are_told_in_words() -> None:
    assert describe([point("a")], AXES).startswith("a (A): Unique language 0.200 bits (95 % ")
    assert "And 3 more models" in describe([point(str(place)) for place in range(15)], AXES)
    assert describe([], AXES) == "No models."


def test_a_published_value_stands_beside_the_point_of_the_same_model() -> None:
    points = [
        point("Qwen/Qwen2.5-VL-7B-Instruct", u2=0.2, s=0.9),
        point("org/other-7B", u2=0.3, s=0.5),
    ]
    printed = published_values("mmbench")

    def marks(axes):
        styles = family_styles(["A"])
        figure = family_scatter(points, styles, axes, published=printed)
        return [one for one in figure.data if one.name == "published"]

    (trace,) = marks(AXES)
    assert (trace.x[1], trace.y[1]) == (0.2, 1.112)
    assert len(trace.x) == 3, "one line to one diamond"
    assert "Xiu26, Table 4" in trace.hovertext[1]
    assert trace.customdata is None
    turned = marks(Axes(x=AXES.y, y=AXES.x, unit="bits"))[0]
    assert (turned.x[1], turned.y[1]) == (1.112, 0.2)
    assert marks(Axes(x=AXES.x, y=AXES.y, unit="shares")) == [], "the paper prints bits"


def test_a_median_leads_to_its_family() -> None:
    figure = drawn([point("a", "f"), point("b", "f")])
    (median,) = [trace for trace in figure.data if trace.name == "median"]
    assert list(map(list, median.customdata)) == [[FAMILY, "f"]]
