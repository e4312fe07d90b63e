import pytest

from model_runners.family_statistics import task_shares
from pages.figures.palette import ATOMS
from pages.figures.share_bars import describe, share_bars
from tests.pages.many_models import models

TASKS = task_shares(
    {"fuse": models(), "<b>know</b>": models(lead="unique_2"), "few": models(3), "none": []}
)
LABELS = {task.task: task.task for task in TASKS}


def test_each_task_has_a_bar_of_synergy_and_one_of_unique_language() -> None:
    figure = share_bars(TASKS, LABELS)
    colours = {atom.label: atom.colour for atom in ATOMS}
    assert {trace.name for trace in figure.data} == {"Unique language", "Synergy"}
    for trace in figure.data:
        assert trace.marker.color == colours[trace.name]
        assert [data[0] for data in trace.customdata] == ["fuse", "<b>know</b>", "few"]
    synergy = next(trace for trace in figure.data if trace.name == "Synergy")
    found = TASKS[0].found.synergy
    assert synergy.x[0] == pytest.approx(100 * found.mean)
    assert synergy.x[0] + synergy.error_x.array[0] == pytest.approx(100 * found.interval[1])
    assert synergy.x[0] - synergy.error_x.arrayminus[0] == pytest.approx(100 * found.interval[0])


def test_three_models_have_bars_without_whiskers_and_say_so() -> None:
    figure = share_bars(TASKS, LABELS)
    assert [trace.error_x.array[2] for trace in figure.data] == [0, 0]
    assert figure.layout.yaxis.ticktext[2] == "few<br>too few models"


def test_names_are_shown_as_text() -> None:
    figure = share_bars(TASKS, LABELS)
    assert figure.layout.yaxis.ticktext[1].startswith("&lt;b&gt;know&lt;/b&gt;<br>knowledge")
    assert all("<b>know" not in text for trace in figure.data for text in trace.hovertext)


def test_the_words_name_the_regime_and_the_intervals() -> None:
    words = describe(TASKS, LABELS)
    assert "fuse: synergy-driven, synergy 8" in words
    assert "95 % interval" in words
    assert "none" not in words
