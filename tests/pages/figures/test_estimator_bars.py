import pytest

from model_runners.audit import AuditRow
from pages.figures.estimator_bars import describe, estimator_bars
from pages.figures.palette import ATOMS

TRUTH = {"redundancy": 0.25, "unique_1": 0.0, "unique_2": 0.0, "synergy": 1.0}


def row(label: str, *values: float, **changes: object) -> AuditRow:
    atoms = dict(zip(TRUTH, values, strict=True)) if values else None
    return AuditRow(estimator=label, label=label, atoms=atoms, **changes)  # type: ignore[arg-type]  # values of many types


GOOD = row("certified", 0.25, 0.0, 0.0, 1.0, gap_bits=2e-4)
BAD = row("batch", 0.1, 0.15, 0.15, 0.85)


def of_kind(figure, kind: str, mode: str | None = None) -> list:
    return [one for one in figure.data if one.type == kind and one.mode == mode]


def test_every_atom_has_a_bar_per_estimator_and_one_stroke_of_truth() -> None:
    figure = estimator_bars([GOOD, BAD], TRUTH)
    bars = [one for one in figure.data if one.type == "bar"]
    assert [list(one.x) for one in bars] == [[0.25, 0.1], [0.0, 0.15], [0.0, 0.15], [1.0, 0.85]]
    strokes = of_kind(figure, "scatter", "lines")
    assert [one.x[0] for one in strokes] == list(TRUTH.values())
    assert [bool(one.showlegend) for one in strokes] == [True, False, False, False]


def test_rows_are_gathered_under_the_names_of_the_atoms() -> None:
    texts = estimator_bars([GOOD, BAD], TRUTH).layout.yaxis.ticktext
    assert [text for text in texts if text.startswith("<b>")] == [
        f"<b>{atom.label}</b>" for atom in ATOMS
    ]
    assert texts.count("batch") == len(ATOMS)


def test_what_others_measured_is_pale() -> None:
    theirs = row("batch, published", 0.1, 0.15, 0.15, 0.85, is_published=True)
    opacities = estimator_bars([GOOD, theirs]).data[0].marker.opacity
    assert opacities[0] == 1.0
    assert opacities[1] < 0.6


def test_whiskers_are_drawn_where_nobody_knows_the_truth() -> None:
    sampled = row("certified", 0.25, 0.0, 0.0, 1.0, interval={"redundancy": (0.2, 0.35)})
    bars = estimator_bars([sampled]).data[0]
    assert list(bars.error_x.array) == pytest.approx([0.1])
    assert list(bars.error_x.arrayminus) == pytest.approx([0.05])
    assert estimator_bars([sampled], TRUTH).data[0].error_x.array is None


def test_a_number_is_not_written_under_the_stroke_of_the_truth() -> None:
    near = row("near", 0.22, 0.0, 0.0, 1.0)
    numbers = of_kind(estimator_bars([near], TRUTH), "scatter", "text")[0]
    assert list(numbers.x) == [0.25]
    assert list(numbers.text) == ["  0.22"]


def test_a_certificate_and_its_absence_are_said() -> None:
    bars = estimator_bars([GOOD, BAD], TRUTH).data[0]
    assert "at most 0.0002 bits from the exact value" in bars.hovertext[0]
    assert "no certificate" in bars.hovertext[1]
    assert "-0.150 bits from the truth" in bars.hovertext[1]


def test_an_estimator_that_refuses_is_left_out_and_said_in_words() -> None:
    refused = row("ipfp", refusal="no features")
    assert list(estimator_bars([GOOD, refused]).data[0].x) == [0.25]
    assert describe([refused]) == "ipfp refuses."
    assert estimator_bars([refused], TRUTH).layout.height > 0


def test_it_is_described_in_words() -> None:
    text = describe([GOOD], TRUTH)
    assert text.startswith("Truth: redundancy 0.25, unique vision 0.00")
    assert "certified: redundancy 0.25" in text
    assert describe([]) == "Nothing is computed yet."
