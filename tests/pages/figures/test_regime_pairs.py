from model_runners.family_statistics import strategies, task_shares
from pages.figures.family_styles import family_styles
from pages.figures.regime_pairs import describe, regime_pairs
from tests.pages.many_models import models

FAMILIES = [f"family {place}" for place in range(4)]
TASKS = task_shares({"fuse": models(), "know": models(lead="unique_2", seed=1)})
FOUND = strategies(TASKS)
assert FOUND is not None


def test_each_family_has_a_filled_and_a_hollow_mark_joined_by_a_line() -> None:
    figure = regime_pairs(FOUND, family_styles(FAMILIES), unit="bits")
    pairs = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [trace.name for trace in pairs] == FAMILIES
    for trace in pairs:
        filled, hollow = trace.marker.symbol
        assert hollow == f"{filled}-open"
        assert trace.y == (
            FOUND.synergy["synergy-driven"][trace.name],
            FOUND.synergy["knowledge-driven"][trace.name],
        )
    assert "bits" in figure.layout.xaxis.title.text


def test_a_family_of_one_regime_is_a_single_mark() -> None:
    only = task_shares({"fuse": models(), "know": models(3, lead="unique_2") * 2})
    found = strategies(only)
    assert found is not None
    figure = regime_pairs(found, family_styles(FAMILIES), unit="bits")
    single = next(trace for trace in figure.data if trace.name == "family 3")
    assert len(single.x) == 1


def test_the_words_name_family_regime_value_and_unit() -> None:
    words = describe(FOUND, unit="bits")
    assert "family 0 on synergy-driven tasks: median synergy" in words
    assert words.endswith("bits.")
