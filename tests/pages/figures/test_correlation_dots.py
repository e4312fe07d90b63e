import math

import pytest

from data_cache.published import published_correlations
from model_runners.family_statistics import correlations
from pages.figures.correlation_dots import PART_LABELS, correlation_dots, describe, words_of
from pages.figures.palette import ATOMS
from tests.pages.many_models import models

CELLS = correlations(models())
PRINTED = published_correlations("mmbench")


def ours(figure):
    return [trace for trace in figure.data if trace.customdata is not None]


def places(figure):
    return dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals, strict=False))


def test_each_outcome_has_a_row_per_part_under_a_title_of_its_own() -> None:
    figure = correlation_dots(CELLS)
    assert [len(trace.x) for trace in ours(figure)] == [6, 6, 6]
    shown = [tuple(data) for trace in ours(figure) for data in trace.customdata]
    assert shown == [(cell.outcome, cell.part) for cell in CELLS]
    rows = [place for trace in ours(figure) for place in trace.y]
    assert rows == sorted(set(rows)), "no two dots share a row"
    assert list(figure.layout.yaxis.range) == [figure.layout.yaxis.range[0], 0]


def test_intervals_are_drawn_from_rho_to_their_ends() -> None:
    trace = ours(correlation_dots(CELLS))[0]
    found = CELLS[3].found
    assert trace.x[3] == found.rho
    assert trace.x[3] - trace.error_x.arrayminus[3] == pytest.approx(found.interval[0])
    assert trace.x[3] + trace.error_x.array[3] == pytest.approx(found.interval[1])


def test_atoms_have_their_colours_and_sure_ones_are_filled() -> None:
    trace = ours(correlation_dots(CELLS))[0]
    assert list(trace.marker.color)[:4] == [atom.colour for atom in ATOMS]
    for cell, symbol in zip(CELLS, trace.marker.symbol, strict=False):
        assert (symbol == "circle") == (cell.adjusted_p < 0.05)
    assert {"circle", "circle-open"} == set(trace.marker.symbol), "both kinds are there to be seen"


def test_published_values_stand_in_the_row_of_ours_and_say_what_they_are() -> None:
    figure = correlation_dots(CELLS, PRINTED)
    marks = {one.name: one for one in figure.data if (one.name or "").startswith("published")}
    assert set(marks) == {"published: Xiu26", "published: MI26"}
    theirs = marks["published: Xiu26"]
    row = ours(figure)[0].y[3]
    assert dict(zip(theirs.y, theirs.x, strict=True))[row] == 0.75
    assert all("not measured here" in text for text in theirs.hovertext)
    assert theirs.marker.symbol.endswith("open")
    assert theirs.customdata is None, "a click on it leads nowhere"
    assert theirs.marker.symbol != marks["published: MI26"].marker.symbol


def test_what_has_no_rho_keeps_an_empty_row() -> None:
    cells = correlations(models(d_vision=None))
    figure = correlation_dots(cells)
    assert len(figure.layout.yaxis.ticktext) == 3 + 18
    assert [len(trace.x) for trace in ours(figure)] == [6, 6, 0]
    assert "0 models have both numbers" in words_of(cells[-1])


def test_the_words_hold_everything_that_is_drawn() -> None:
    found = CELLS[3].found
    words = words_of(CELLS[3])
    for part in (f"{found.rho:+.2f}", f"{found.interval[0]:+.2f}", "corrected", "n = 12"):
        assert part in words
    assert "Synergy with accuracy: rho" in describe(CELLS)
    assert describe([]) == "No correlations."
    assert not math.isnan(found.rho)
    assert PART_LABELS["coinformation"] in describe(CELLS)
