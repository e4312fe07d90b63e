import pytest

from pages.figures import null_marks
from pages.figures.palette import ATOMS
from pages.figures.spectrum_bars import HATCH_LABEL, describe, is_hatched, spectrum_bars
from tests.pages.spectra import IDEAL, ideal_records, record


def bars(figure):
    return [trace for trace in figure.data if trace.type == "bar" and trace.showlegend is False]


def test_one_trace_per_atom_in_the_fixed_order_and_colours() -> None:
    traces = bars(spectrum_bars(ideal_records()))
    assert [trace.name for trace in traces] == [atom.label for atom in ATOMS]
    assert [trace.marker.color for trace in traces] == [atom.colour for atom in ATOMS]


def test_a_bar_is_as_long_as_its_atom_in_bits() -> None:
    records = ideal_records(("demo/a", "demo/b"))
    for place, trace in enumerate(bars(spectrum_bars(records))):
        assert list(trace.x) == [IDEAL[one.subset][place] for one in records]


def test_shares_add_up_to_a_hundred_per_cent() -> None:
    figure = spectrum_bars([record("mixed", atoms=(0.1, 0.2, 0.3, 0.4))], unit="shares")
    assert [trace.x[0] for trace in bars(figure)] == pytest.approx([10, 20, 30, 40])
    assert "%" in figure.layout.xaxis.title.text


def test_no_share_is_drawn_of_a_total_that_is_noise() -> None:
    figure = spectrum_bars([record("mixed", atoms=(0.002, 0.001, 0.0, 0.0))], unit="shares")
    assert [trace.x[0] for trace in bars(figure)] == [None] * 4


def test_a_negative_atom_is_drawn_on_the_other_side_of_zero_and_the_total_is_marked() -> None:
    figure = spectrum_bars([record("mixed", atoms=(1.0, 0.3, 0.0, -0.2))])
    assert figure.layout.barmode == "relative"
    assert bars(figure)[3].x[0] == -0.2
    total = next(trace for trace in figure.data if trace.name == "Total")
    assert total.x[0] == pytest.approx(1.1)


def test_separate_bars_carry_their_intervals() -> None:
    one = record("mixed", atoms=(1.0, 0.3, 0.1, 0.2), interval={"redundancy": (0.9, 1.3)})
    figure = spectrum_bars([one], layout="separate")
    first, second = bars(figure)[:2]
    assert figure.layout.barmode == "group"
    assert first.error_x.array[0] == pytest.approx(0.3)
    assert first.error_x.arrayminus[0] == pytest.approx(0.1)
    assert second.error_x.array[0] == 0, "an atom without an interval has no whisker"


def test_a_row_is_hatched_above_ten_per_cent_of_fallbacks() -> None:
    sure = record("synergy", fallback_rate={"full": 0.0, "only_1": 0.1})
    unsure = record("vision", fallback_rate={"full": 0.0, "only_1": 0.11})
    assert not is_hatched(sure)
    assert is_hatched(unsure)
    figure = spectrum_bars([sure, unsure])
    for trace in bars(figure):
        assert list(trace.marker.pattern.shape) == ["", "/"]
    assert HATCH_LABEL in {trace.name for trace in figure.data}
    assert HATCH_LABEL not in {trace.name for trace in spectrum_bars([sure]).data}


def test_the_legend_hides_and_shows_all_bars_of_an_atom() -> None:
    figure = spectrum_bars(ideal_records())
    groups = {trace.legendgroup: trace.name for trace in figure.data if trace.x == (None,)}
    assert groups == {atom.field: atom.label for atom in ATOMS}


def test_names_from_data_cannot_bring_markup_into_the_figure() -> None:
    evil = record("<a href='https://example.org'>x</a>", model="<b>m</b>", atoms=(1.0, 0, 0, 0))
    text = spectrum_bars([evil]).to_json()
    assert "<a href" not in text
    assert "<b>m</b>" not in text


def test_hover_says_value_share_interval_gap_and_sample_size() -> None:
    hover = bars(spectrum_bars([record("synergy")]))[3].hovertext[0]
    for words in ("2.000 bits", "100.0 %", "1.950 to 2.040", "0.0004", "352 samples of 4 options"):
        assert words in hover


def test_synergy_is_shown_beside_the_most_that_could_be_found() -> None:
    one = record("mixed", atoms=(0.5, 0.2, 0.1, 0.3), information_1=0.7, information_2=0.6)
    assert "more than 0.400 bits" in bars(spectrum_bars([one]))[3].hovertext[0]


def test_the_figure_is_described_in_words() -> None:
    words = describe(ideal_records())
    assert "demo/oracle, synergy: redundancy 0.00" in words
    assert "synergy 2.00 bits" in words
    assert describe([]) == "No spectra."


def test_a_taller_chart_for_more_rows_and_none_fails() -> None:
    few = spectrum_bars(ideal_records()).layout.height
    many = spectrum_bars(ideal_records(("a", "b", "c", "d"))).layout.height
    assert many > few
    assert spectrum_bars([]).data


NULL = {
    "exchange": {
        "replicates": 20,
        "zero": ["unique_1", "unique_2"],
        "mean": {"redundancy": 0.6, "unique_1": 0.05, "unique_2": 0.04, "synergy": 0.3},
        "low": {"redundancy": 0.5, "unique_1": 0.02, "unique_2": 0.01, "synergy": 0.2},
        "high": {"redundancy": 0.7, "unique_1": 0.08, "unique_2": 0.07, "synergy": 0.4},
    }
}


def nulls(figure):
    return [trace for trace in figure.data if trace.name == null_marks.LABEL]


@pytest.mark.parametrize("layout", ["stacked", "separate"])
@pytest.mark.parametrize("unit", ["bits", "shares"])
def test_a_null_stands_under_the_atoms_that_it_sets_to_zero(layout, unit) -> None:
    one = record("mixed", atoms=(0.5, 0.2, 0.1, 0.2), diagnostics={"null": NULL})
    figure = spectrum_bars([one, record("synergy")], layout=layout, unit=unit)
    boxes, points = nulls(figure)
    assert boxes.showlegend is not False
    factor = 1.0 if unit == "bits" else 100.0
    starts = (0.5, 0.7) if layout == "stacked" else (0.0, 0.0)
    assert list(points.x) == pytest.approx(
        [factor * (start + mean) for start, mean in zip(starts, (0.05, 0.04), strict=True)]
    )
    assert len(boxes.x) == 2 * 6
    assert "Unique vision, null: 0.050 bits" in points.hovertext[0]
    assert "0.020 to 0.080 bits, 20 replicates" in points.hovertext[0]
    assert "what 352 samples make of nothing" in points.hovertext[0]


def test_without_a_null_nothing_is_drawn_and_no_legend_mentions_it() -> None:
    assert not nulls(spectrum_bars(ideal_records()))


def test_an_interval_says_what_it_covers() -> None:
    measured = record("synergy", diagnostics={"uncertainty": {"quarters": 4}})
    assert (
        "(sampling and the bias of few samples)" in bars(spectrum_bars([measured]))[3].hovertext[0]
    )
    assert "(sampling only)" in bars(spectrum_bars([record("synergy")]))[3].hovertext[0]
