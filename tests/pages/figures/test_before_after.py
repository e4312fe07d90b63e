import pytest

from pages.figures.before_after import (
    Pair,
    accuracy_before_after,
    atoms_before_after,
    describe,
    describe_accuracy,
)
from tests.pages.spectra import record


def pair(subset: str = "synergy", **changes) -> Pair:
    return Pair(
        before=record(subset, atoms=(1.0, 0.0, 0.5, 0.25), model="demo/a", accuracy=0.9, **changes),
        after=record(subset, atoms=(0.5, 0.0, 0.25, 1.0), model="demo/a+pid", accuracy=0.95),
    )


def trace_named(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_marks_stand_at_before_and_after() -> None:
    figure = atoms_before_after([pair(), pair("vision")])
    assert list(trace_named(figure, "Synergy, before").x) == [0.25, 0.25]
    assert list(trace_named(figure, "Synergy, after").x) == [1.0, 1.0]
    assert trace_named(figure, "Synergy, before").marker.symbol == "circle-open"


def test_the_change_is_written_with_its_sign_and_nothing_has_none() -> None:
    texts = [text.strip() for text in atoms_before_after([pair()]).data[-3].text]
    assert texts == ["-0.50", "0.00", "-0.25", "+0.75"]


def test_whiskers_are_the_intervals_of_each_estimate() -> None:
    after = trace_named(atoms_before_after([pair()]), "Synergy, after")
    assert list(after.error_x.array) == pytest.approx([0.04])
    assert list(after.error_x.arrayminus) == pytest.approx([0.05])
    assert not trace_named(accuracy_before_after([pair()]), "Accuracy, after").error_x.visible


def test_what_was_not_measured_has_no_mark() -> None:
    figure = accuracy_before_after([pair(d_vision=None)])
    assert list(trace_named(figure, "Accuracy, before").x) == [90]
    assert list(trace_named(figure, "D_vision, before").x) == []


def test_no_name_is_read_as_html() -> None:
    figure = atoms_before_after([pair("<img src=x>")])
    assert "<b>&lt;img src=x&gt;</b>" in figure.layout.yaxis.ticktext
    assert "<img" not in str(trace_named(figure, "Synergy, after").hovertext)


def test_an_empty_choice_draws_an_empty_figure() -> None:
    assert all(not len(trace.y or ()) for trace in atoms_before_after([]).data[:-2])


def test_the_figures_are_described_in_words() -> None:
    assert "synergy 0.25 to 1.00 bits." in describe([pair()])
    assert describe_accuracy([pair()]) == "synergy: accuracy 90% to 95%."
