"""What the plane of families leaves out, and how its points are to be read."""

from collections.abc import Sequence

import streamlit as st

from pages.figures.family_scatter import FamilyPoint, arrows
from pages.figures.rows import short_labels
from pages.widgets import drawn
from pages.widgets.family_choices import Plane, without_place

NAMED_AT_MOST = 6


def show_notes_on(plane: Plane) -> None:
    """Say which models are not drawn, and which have no arrow."""
    sentences = notes_on(plane)
    if sentences:
        with st.container(border=True):
            for sentence in sentences:
                st.text(sentence)


def show_legend(points: Sequence[FamilyPoint]) -> None:
    """Say what sizes, arrows and hollow points mean, as far as they are there."""
    words = ["Click a point to see the samples behind it.", "Bars are 95 % intervals."]
    if len({point.family for point in points}) > 1:
        words.append("Click the median of a family to see that family alone, or all again.")
    if any(point.parameters for point in points):
        words.append("Larger models have larger points.")
    if arrows(points):
        words.append(
            "An arrow runs to the next larger model of its series (the same name but for the size)."
        )
    if any(point.is_adapted for point in points):
        words.append("Hollow points are adapted models; the median leaves them out.")
    drawn.show_caption(" ".join(words))


def notes_on(plane: Plane) -> list[str]:
    """Return what a reader would else miss, in sentences."""
    sentences: list[str] = []
    missing = without_place(plane.points, plane.axes)
    if missing:
        pair = " or ".join(axis.label for axis in (plane.axes.y, plane.axes.x))
        sentences.append(f"Not drawn, because {pair} is not defined: {_names(missing)}.")
    uncounted = [
        point.record.model
        for point in plane.points
        if point.parameters is None and not point.is_adapted
    ]
    if uncounted:
        sentences.append(
            f"No size is stored for {_names(uncounted)}, so no arrow leads there; profile again "
            "to count the parameters."
        )
    return sentences


def _names(models: Sequence[str]) -> str:
    shown = list(short_labels(models).values())
    more = len(shown) - NAMED_AT_MOST
    return ", ".join(shown[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
