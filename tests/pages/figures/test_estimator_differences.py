import json

import pytest

from pages.figures.estimator_differences import EstimatorPair, describe, estimator_differences
from pages.figures.spectrum_bars import spectrum_bars
from tests.pages.spectra import record


def pair(subset: str, *, second: tuple[float, float, float, float]) -> EstimatorPair:
    first = record(subset, model="<b>m", atoms=(0.2, 0.3, 0.4, 1.1), estimate_key=f"{subset}-1")
    other = record(
        subset,
        model="<b>m",
        atoms=second,
        estimate_key=f"{subset}-2",
        estimator="batch",
        gap_bits=float("inf"),
    )
    return EstimatorPair(first=first, second=other)


PAIRS = [pair("x", second=(0.1, 0.3, 0.5, 1.6)), pair("y", second=(0.2, 0.3, 0.4, 1.1))]


def marks(figure):
    return [trace for trace in figure.data if trace.mode == "markers"]


ROWS = [one for both in PAIRS for one in (both.first, both.second)]


def test_a_mark_is_the_second_minus_the_first_in_bits() -> None:
    synergy = next(t for t in estimator_differences(PAIRS, ROWS).data if t.name == "Synergy")
    assert list(synergy.x) == pytest.approx([0.5, 0.0])
    assert (
        "batch minus certified (bits)" in estimator_differences(PAIRS, ROWS).layout.xaxis.title.text
    )


def test_shares_are_of_each_estimates_own_total() -> None:
    synergy = next(
        t for t in estimator_differences(PAIRS, ROWS, unit="shares").data if t.name == "Synergy"
    )
    assert synergy.x[0] == pytest.approx(100 * (1.6 / 2.5 - 1.1 / 2.0))


def test_a_mark_stands_between_the_two_rows_that_it_compares() -> None:
    bars = spectrum_bars(ROWS)
    assert list(bars.layout.yaxis.ticktext)[1:3] == ["x", "<i>by batch</i>"]
    figure = estimator_differences(PAIRS, ROWS)
    assert figure.layout.height == bars.layout.height
    rows = bars.data[0].y
    for trace in marks(figure):
        assert rows[0] < trace.y[0] < rows[1]
        assert rows[2] < trace.y[1] < rows[3]


def test_a_mark_leads_to_the_samples_of_the_second_estimate() -> None:
    for trace in marks(estimator_differences(PAIRS, ROWS)):
        assert [data[0] for data in trace.customdata] == ["x-2", "y-2"]


def test_names_are_escaped_and_both_values_are_in_the_hover() -> None:
    figure = estimator_differences(PAIRS, ROWS)
    assert "<b>m" not in json.dumps(list(marks(figure)[0].hovertext))
    assert "batch: 0.100 bits, no bound on the error" in marks(figure)[0].hovertext[0]


def test_the_figure_is_described_in_words() -> None:
    assert "<b>m, x: batch minus certified, redundancy -0.100" in describe(PAIRS)
    assert describe([]) == "No differences."
