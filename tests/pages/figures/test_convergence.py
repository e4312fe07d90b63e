from model_runners.audit import AuditRow
from pages.figures.convergence import LEAST_GAP, convergence, describe, traced
from pid_core.spectrum import TraceStep

NAMES = ("certified", "ipfp", "batch")


def steps(*bounds: tuple[float | None, float | None]) -> tuple[TraceStep, ...]:
    return tuple(
        TraceStep(step=place, seconds=0.5 * place, upper_bits=upper, lower_bits=lower)
        for place, (upper, lower) in enumerate(bounds, start=1)
    )


def row(name: str, trace: tuple[TraceStep, ...] = ()) -> AuditRow:
    return AuditRow(estimator=name, label=name, atoms={}, trace=trace)


SOLVED = row("certified", steps((1.0, 0.5), (0.75, 0.75)))
TRAINED = row("batch", steps((1.25, None), (1.0, None)))


def test_both_bounds_and_their_distance_are_drawn_over_seconds() -> None:
    upper, lower, gap = convergence([SOLVED], NAMES).data
    assert list(upper.x) == [0.5, 1.0]
    assert list(upper.y) == [1.0, 0.75]
    assert list(lower.y) == [0.5, 0.75]
    assert upper.line.dash != lower.line.dash
    assert list(gap.y) == [0.5, LEAST_GAP]
    assert gap.yaxis == "y2"


def test_a_method_without_a_lower_bound_has_no_gap_and_no_second_plot() -> None:
    figure = convergence([TRAINED], NAMES)
    assert len(figure.data) == 1
    assert "yaxis2" not in figure.layout


def test_a_colour_stays_when_another_estimator_is_taken_away() -> None:
    both = convergence([SOLVED, TRAINED], NAMES)
    alone = convergence([TRAINED], NAMES)
    assert alone.data[0].line.color == both.data[-1].line.color


def test_estimators_that_recorded_nothing_are_left_out() -> None:
    assert traced([row("ipfp"), SOLVED]) == [SOLVED]
    assert len(convergence([row("ipfp")], NAMES).data) == 0


def test_how_it_ended_is_described_in_words() -> None:
    assert describe([SOLVED]) == (
        "certified: I* is at least 0.7500 and at most 0.7500 bits after 2 steps and 1 s."
    )
    assert "at most 1.0000 bits" in describe([TRAINED])
    assert describe([]) == "No estimator recorded how it converged."
