import json

import pytest

from pages.figures.distribution_bars import RIGHT, describe, distribution_bars
from tests.pages.details import synergy

OPTIONS = ("3", "4", "5", "<img src=x>")


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar" and trace.showlegend is False]


def figure():
    return distribution_bars(synergy(), options=OPTIONS, answer=0)


def test_every_condition_has_a_bar_per_option_in_per_cent() -> None:
    traces = bars(figure())
    assert [trace.name for trace in traces] == [
        "with image",
        "vision only",
        "language only",
        "no image",
    ]
    assert list(traces[0].x) == [100, 0, 0, 0]
    assert list(traces[1].x) == pytest.approx([20, 30, 30, 20])


def test_no_two_bars_lie_on_each_other() -> None:
    places = [place for trace in bars(figure()) for place in trace.y]
    assert len(set(places)) == len(places)
    low, high = sorted(figure().layout.yaxis.range)
    assert low < min(places)
    assert max(places) < high


def test_the_right_option_has_its_own_colour_and_mark() -> None:
    for trace in bars(figure()):
        assert list(trace.marker.color).count(RIGHT) == 1
        assert trace.marker.color[0] == RIGHT
    assert list(figure().layout.yaxis.ticktext).count("A ✓") == len(synergy())


def test_whiskers_span_the_draws() -> None:
    full, vision = bars(figure())[:2]
    assert full.error_x.array is None
    assert list(vision.error_x.array) == pytest.approx([10, 0, 10, 0])
    assert list(vision.error_x.arrayminus) == pytest.approx([10, 0, 10, 0])


def test_a_condition_that_named_no_option_says_so() -> None:
    assert any("2 of 2 draws named no option" in text for text in figure().layout.yaxis.ticktext)


def test_text_of_the_benchmark_is_escaped() -> None:
    assert "<img" not in json.dumps(figure().to_dict(), default=str)


def test_the_bars_are_told_in_words() -> None:
    assert "with image: A 100%, B 0%" in describe(synergy())
