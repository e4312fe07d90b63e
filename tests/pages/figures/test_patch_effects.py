"""The plots of the causal check: S above, the effect below, on one axis, in points."""

import dataclasses

import pytest

from model_runners.patch_statistics import LayerEffect, PatchCourse
from pages.figures.model_styles import model_styles
from pages.figures.patch_effects import Checked, describe, patch_figure
from tests.pages.layers import trajectory

STYLES = model_styles(["demo/deep", "demo/<i>shallow"])
NAN = float("nan")


def checked(model: str = "demo/deep", *, depth: int = 8, last: int = 2) -> Checked:
    """A model whose last layers bring 10 points more each, up to 40."""
    layers = tuple(
        LayerEffect(
            layer=layer, n=100, effect=0.4 - 0.1 * (depth - 1 - layer),
            interval=(0.3 - 0.1 * (depth - 1 - layer), 0.5), moved=0.45,
            moved_interval=(0.4, 0.5), share=0.5, synergy=None, unique_1=None, closer=None,
        )
        for layer in range(depth - last, depth)
    )  # fmt: skip
    course = PatchCourse(
        layers=layers, whole=0.4, whole_interval=(0.35, 0.45), n=100, groups=50, draws=2
    )
    return Checked(trajectory=trajectory(model, depth=depth), course=course)


def lines(figure, row: int) -> list[dict]:
    axis = "x" if row == 1 else "x2"
    return [
        one
        for one in figure.to_dict()["data"]
        if one["mode"] == "lines+markers" and one["xaxis"] == axis
    ]


def test_the_effect_stands_below_the_synergy_of_the_same_layer() -> None:
    figure = patch_figure([checked()], STYLES)
    (above,), (below,) = lines(figure, 1), lines(figure, 2)
    assert list(above["x"]) == list(range(8))
    assert list(below["x"]) == [6, 7]
    assert list(below["y"]) == pytest.approx([30, 40])
    assert above["marker"]["symbol"] == below["marker"]["symbol"]
    layout = figure.to_dict()["layout"]
    assert layout["xaxis"]["matches"] == "x2"
    assert layout["yaxis2"]["range"][1] > 50, "the interval is inside"


def test_depth_in_per_cent_ends_at_a_hundred_for_every_model() -> None:
    two = [checked(), checked("demo/<i>shallow", depth=4)]
    figure = patch_figure(two, STYLES, depth="relative")
    for row in (1, 2):
        assert [one["x"][-1] for one in lines(figure, row)] == [100, 100]


def test_the_diamond_is_what_the_full_run_brings_and_lies_on_the_last_layer() -> None:
    figure = patch_figure([checked()], STYLES)
    (end,) = [one for one in figure.to_dict()["data"] if one["mode"] == "markers"]
    assert (end["x"][0], end["y"][0]) == (7, 40)
    assert "40.0 points" in end["hovertext"][0]


def test_every_point_says_its_number_unit_and_interval_and_leads_to_its_samples() -> None:
    one = checked()
    figure = patch_figure([one], STYLES)
    (below,) = lines(figure, 2)
    words = below["hovertext"][0]
    assert "30.0 points" in words
    assert "50% of the whole" in words
    assert "95 % interval 20.0 to 50.0 points" in words
    assert "patched after layer 6, 100 samples" in words
    assert all(data == [one.trajectory.output.estimate_key] for data in below["customdata"])


def test_without_an_interval_there_is_no_band_and_names_are_text() -> None:
    one = checked("demo/<i>shallow")
    bare = tuple(dataclasses.replace(layer, interval=(NAN, NAN)) for layer in one.course.layers)
    figure = patch_figure(
        [dataclasses.replace(one, course=dataclasses.replace(one.course, layers=bare))], STYLES
    )
    bands = [part for part in figure.to_dict()["data"] if part["mode"] == "lines"]
    assert [len(band["x"]) for band in bands] == [16, 0]
    shown = [(part.get("name"), part.get("hovertext")) for part in figure.to_dict()["data"]]
    text = str(shown)
    assert "<i>shallow" not in text
    assert "&lt;i&gt;shallow" in text
    assert "nan" not in text


def test_words_say_what_the_plots_show() -> None:
    said = describe([checked()])
    assert "layer 6 brings 30.0 points" in said
    assert "of 40.0 in all" in said
    assert describe([]) == "Nothing is patched."
