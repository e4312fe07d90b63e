"""The plots over the steps of a training: every line where it belongs, stages between them."""

from dataclasses import replace
from typing import Any

from pages.figures.model_styles import model_styles
from pages.figures.palette import ATOMS
from pages.figures.training_curves import atoms_figure, describe, span_of, training_figure
from tests.pages.trainings import curve

BOTH = [curve("demo/a"), curve("demo/b")]
STYLES = model_styles(["demo/a", "demo/b"])


def named(figure: Any, name: str) -> Any:
    return next(trace for trace in figure.data if trace.name == name)


def test_one_training_has_its_atoms_above_and_how_right_it_is_beneath() -> None:
    figure: Any = training_figure(BOTH[0], span=span_of(BOTH))
    assert [named(figure, atom.label).yaxis for atom in ATOMS] == ["y"] * 4
    assert list(named(figure, "Synergy").y)[-1] == 1.25
    assert list(named(figure, "Synergy").x) == [50, 100, 150, 200, 300, 400]
    assert named(figure, "Accuracy").yaxis == "y2"
    assert list(named(figure, "Accuracy").y)[:3] == [25, 25, 25]
    assert list(named(figure, "D_vision").y)[-1] == 50


def test_bands_hold_the_intervals() -> None:
    figure: Any = training_figure(BOTH[0], span=span_of(BOTH))
    band = next(one for one in figure.data if one.fill and one.legendgroup == "synergy")
    assert max(band.y) == 1.25 + 0.04
    assert min(band.y) == -0.05


def test_a_stage_ends_at_its_dotted_line_and_is_named() -> None:
    figure: Any = training_figure(BOTH[0], span=span_of(BOTH), along="share")
    assert {shape.x0 for shape in figure.layout.shapes} == {100 * 150 / 400}
    assert [one.text for one in figure.layout.annotations] == ["projector", "all"]


def test_one_plot_per_atom_has_one_line_per_training() -> None:
    figure: Any = atoms_figure(BOTH, STYLES)
    lines = [one for one in figure.data if one.mode == "lines+markers"]
    assert len(lines) == 6 * len(BOTH)
    assert sum(bool(one.showlegend) for one in lines) == len(BOTH)


def test_a_model_that_was_not_run_without_the_image_has_no_d_vision() -> None:
    points = tuple((point, replace(record, d_vision=None)) for point, record in BOTH[0].points)
    figure: Any = training_figure(replace(BOTH[0], points=points), span=[0, 1])
    assert set(named(figure, "D_vision").y) == {None}


def test_words_say_where_a_training_begins_and_ends() -> None:
    said = describe(BOTH)
    assert "demo/a, from step 50 to step 400" in said
    assert "synergy 0.00 to 1.25 bits; right in 25% to 75%." in said
