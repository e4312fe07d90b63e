import math

from data_cache.adapters import LossPoint
from pages.figures.loss_curve import describe, loss_curve


def points(*losses: float) -> list[LossPoint]:
    return [
        LossPoint(step=step, epoch=step / 10, loss=loss, rate=1e-3)
        for step, loss in enumerate(losses, start=1)
    ]


def test_every_step_is_drawn_and_the_mean_lies_between() -> None:
    each, mean, _ = loss_curve(points(4.0, 2.0, 3.0, 1.0)).data
    assert list(each.y) == [4.0, 2.0, 3.0, 1.0]
    assert list(mean.y) == [4.0, 3.0, 3.0, 2.5]


def test_the_axis_is_as_long_as_the_training_from_the_beginning() -> None:
    assert loss_curve(points(1.0), total=100).layout.xaxis.range[1] >= 100


def test_a_loss_that_is_no_number_is_marked_where_it_stopped() -> None:
    figure = loss_curve(points(1.0, 0.5, math.nan))
    assert [list(trace.x) for trace in figure.data[:3]] == [[1, 2], [1, 2], [3]]
    assert "step 3 is no number" in figure.data[2].hovertext[0]


def test_the_learning_rate_is_drawn_on_an_axis_of_its_own() -> None:
    figure = loss_curve(points(4.0, 2.0))
    rate = figure.data[-1]
    assert (rate.name, rate.yaxis, list(rate.y)) == ("learning rate", "y2", [1e-3, 1e-3])
    assert figure.layout.yaxis2.side == "right"


def test_a_logarithmic_axis_leaves_out_what_has_no_logarithm() -> None:
    figure = loss_curve(points(1.0, 0.0), log=True)
    assert figure.layout.yaxis.type == "log"
    assert list(figure.data[0].x) == [1]


def test_a_long_training_is_drawn_with_few_points_and_its_last_step() -> None:
    each, mean, _ = loss_curve(points(*[1.0] * 4999, 2.0)).data
    assert len(each.x) == len(mean.x) <= 1000
    assert (each.x[-1], each.y[-1]) == (5000, 2.0)
    assert mean.y[-1] == 1 + 1 / 250


def test_nothing_yet_is_an_empty_figure() -> None:
    assert list(loss_curve([]).data[0].x) == []
    assert describe([]) == "No step has been taken yet."


def test_the_curve_is_described_in_words() -> None:
    assert describe(points(4.0, 2.0)) == "Loss 4 at step 1, 2 at step 2."
