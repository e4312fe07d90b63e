"""The plots over layers: every line where it belongs, the output at its end."""

import pytest

from data_cache.estimates import SpectrumRecord
from pages.figures.layer_trajectories import (
    Trajectory,
    atom_trajectories,
    describe,
    describe_quality,
    fallback,
    fell_back,
    quality_trajectories,
)
from pages.figures.model_styles import COLOURS, SYMBOLS, model_styles
from pages.figures.palette import ATOMS
from tests.pages.layers import through_a_lens, trajectory
from tests.pages.spectra import record

MODELS = ("demo/deep", "demo/other", "demo/shallow")
STYLES = model_styles(MODELS)


@pytest.fixture
def two() -> list[Trajectory]:
    return [trajectory("demo/deep", depth=8), trajectory("demo/shallow", depth=4)]


def traces(figure, mode: str, *, axis: str = "x4") -> list:
    return [trace for trace in figure.data if trace.mode == mode and trace.xaxis == axis]


def test_one_plot_per_atom_and_one_line_per_model_in_each(two: list[Trajectory]) -> None:
    figure = atom_trajectories(two, STYLES)
    assert [one.text for one in figure.select_annotations()] == [atom.label for atom in ATOMS]
    for axis in ("x", "x2", "x3", "x4"):
        assert len(traces(figure, "lines+markers", axis=axis)) == 2
    assert sum(trace["showlegend"] for trace in figure.to_dict()["data"]) == 2


def test_a_line_has_its_atoms_in_bits_at_their_layers(two: list[Trajectory]) -> None:
    _, line = traces(atom_trajectories(two, STYLES), "lines+markers")
    assert list(line.x) == [0, 1, 2, 3]
    assert list(line.y) == [0.5, 1.0, 1.5, 2.0]


def test_relative_depth_ends_at_a_hundred_per_cent_for_every_model(two: list[Trajectory]) -> None:
    figure = atom_trajectories(two, STYLES, depth="relative")
    deep, shallow = traces(figure, "lines+markers")
    assert list(shallow.x) == [25, 50, 75, 100]
    assert deep.x[0] == 12.5
    assert deep.x[-1] == 100


@pytest.mark.parametrize("depth", ["layers", "relative"])
def test_the_models_own_output_is_the_last_marker_and_lies_on_the_last_layer(
    two: list[Trajectory], depth
) -> None:
    figure = atom_trajectories(two, STYLES, depth=depth)
    lines = traces(figure, "lines+markers")
    for line, end in zip(lines, traces(figure, "markers"), strict=True):
        assert end.marker.symbol == "diamond-open"
        assert (end.x[0], end.y[0]) == (line.x[-1], line.y[-1])


def test_all_atoms_share_a_scale_that_holds_every_interval(two: list[Trajectory]) -> None:
    layout = atom_trajectories(two, STYLES).to_dict()["layout"]
    ranges = [layout[axis]["range"] for axis in ("yaxis", "yaxis2", "yaxis3", "yaxis4")]
    assert all(one == ranges[0] for one in ranges)
    assert ranges[0][0] < -0.05
    assert 2.04 < ranges[0][1] < 2.5


@pytest.mark.parametrize(("depth", "step"), [(2, 1), (8, 1), (32, 4), (80, 10)])
def test_layers_are_numbered_in_whole_steps(depth: int, step: int) -> None:
    one = trajectory("demo/deep", depth=depth)
    assert atom_trajectories([one], STYLES).to_dict()["layout"]["xaxis"]["dtick"] == step


def test_the_band_is_the_interval(two: list[Trajectory]) -> None:
    band = traces(atom_trajectories(two, STYLES), "lines")[1]
    assert list(band.y) == pytest.approx([0.54, 1.04, 1.54, 2.04, 1.95, 1.45, 0.95, 0.45])
    assert band.fillcolor.startswith("rgba(")


def test_a_models_colour_does_not_depend_on_who_else_is_shown(two: list[Trajectory]) -> None:
    (alone,) = traces(atom_trajectories(two[1:], STYLES), "lines+markers")
    _, beside = traces(atom_trajectories(two, STYLES), "lines+markers")
    assert alone.line.color == beside.line.color == COLOURS[2]


def test_a_layer_in_which_nearly_all_fell_back_is_hollow() -> None:
    one = trajectory()
    assert fell_back(one) == (0,)
    (line,) = traces(atom_trajectories([one], STYLES | model_styles([one.model])), "lines+markers")
    assert list(line.marker.symbol) == ["circle-open", "circle", "circle", "circle"]


def test_both_masked_may_fall_back_as_often_as_it_likes() -> None:
    one: SpectrumRecord = record(fallback_rate={"full": 0.1, "only_2": 0.2, "neither": 1.0})
    assert fallback(one) == 0.2


def test_accuracy_and_fallback_are_in_per_cent(two: list[Trajectory]) -> None:
    figure = quality_trajectories(two, STYLES)
    _, accuracy = traces(figure, "lines+markers", axis="x")
    _, share = traces(figure, "lines+markers", axis="x2")
    assert list(accuracy.y) == [25, 50, 75, 100]
    assert list(share.y) == [95, 0, 0, 0]


def test_names_from_data_are_never_markup() -> None:
    one = trajectory("<img src=x>")
    figure = atom_trajectories([one], model_styles([one.model]))
    shown = [
        (trace["name"], trace["hovertext"]) for trace in figure.to_dict()["data"] if "name" in trace
    ]
    assert "&lt;img" in str(shown)
    assert "<img" not in str(shown)


def test_the_description_says_how_atoms_begin_and_end(two: list[Trajectory]) -> None:
    assert "demo/shallow, from layer 0 to the output" in describe(two)
    assert "synergy 0.50 to 2.00 bits" in describe(two)
    assert "right in 25% in layer 0" in describe_quality(two)
    assert describe([]) == "No layers."


def test_thirty_two_models_have_thirty_two_styles() -> None:
    assert len(COLOURS) == len(SYMBOLS)
    styles = model_styles([f"m{number}" for number in range(32)])
    assert len({(one.colour, one.dash) for one in styles.values()}) == 32


def test_two_lenses_of_a_model_share_its_colour_and_are_told_apart_by_name_and_dash() -> None:
    plain = trajectory("demo/deep")
    tuned = through_a_lens(plain, "tuned 1a2b3c")
    figure = atom_trajectories([plain, tuned], STYLES)
    first, second = traces(figure, "lines+markers")
    assert first.line.color == second.line.color
    assert (first.line.dash, second.line.dash) == ("solid", "longdash")
    assert first.legendgroup != second.legendgroup
    assert second.name == "deep (tuned lens 1a2b3c)"
    assert "layer 0 through the tuned lens 1a2b3c" in second.hovertext[0]
    assert "tuned lens" not in first.hovertext[0]
    assert "demo/deep (tuned lens 1a2b3c), from layer 0" in describe([tuned])
