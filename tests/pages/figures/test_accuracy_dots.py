import pytest

from pages.figures.accuracy_dots import accuracy_dots, describe
from pages.figures.spectrum_bars import spectrum_bars
from tests.pages.spectra import ideal_records, record


def trace_named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_line_from_without_to_with_the_image_is_d_vision_long() -> None:
    one = record(accuracy=0.9, d_vision=0.6, accuracy_by_condition={"full": 0.9, "no_image": 0.3})
    start, end, gap = trace_named(accuracy_dots([one]), "D_vision").x
    assert end - start == pytest.approx(60)
    assert gap is None


def test_nothing_is_drawn_for_a_condition_that_was_not_run() -> None:
    one = record(d_vision=None, accuracy_by_condition={"full": 0.99})
    figure = accuracy_dots([one])
    assert trace_named(figure, "no image").x == ()
    assert trace_named(figure, "D_vision").x == ()
    assert list(trace_named(figure, "with image").x) == [99]


def test_chance_is_one_in_the_number_of_options() -> None:
    assert list(trace_named(accuracy_dots([record(candidates=2)]), "chance").x) == [50]


@pytest.mark.parametrize("layout", ["stacked", "separate"])
@pytest.mark.parametrize("group", ["subset", "model"])
def test_it_stays_in_line_with_the_bars_beside_it(layout, group) -> None:
    records = ideal_records(("demo/a", "demo/b"))
    left = spectrum_bars(records, layout=layout, group=group).layout
    right = accuracy_dots(records, layout=layout, group=group).layout
    assert left.height == right.height
    assert left.margin.t == right.margin.t
    assert left.yaxis.range == right.yaxis.range
    assert left.yaxis.tickvals == right.yaxis.tickvals


def test_every_row_is_labelled_in_the_chart() -> None:
    labels = accuracy_dots(ideal_records()).data[0]
    assert labels.mode == "text"
    assert set(labels.text) == {"synergy", "vision", "language", "redundant", "<b>oracle</b>"}


def test_hover_says_how_sure_the_model_is() -> None:
    hover = trace_named(accuracy_dots([record()]), "with image").hovertext[0]
    assert "mean confidence 98.5%, expected calibration error 1.1%" in hover


def test_the_figure_is_described_in_words() -> None:
    assert "demo/oracle, synergy: accuracy 99%, D_vision +74 points." in describe([record()])
