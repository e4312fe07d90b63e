from pages.widgets.drill_down import estimate_of
from pages.widgets.sample_choices import choice_of
from pages.widgets.spectrum_choices import NEWEST, settings_choice
from tests.pages.spectra import record


def test_a_click_names_the_estimate_that_the_figure_wrote_into_its_points() -> None:
    assert estimate_of({"selection": {"points": [{"customdata": ["0123"]}]}}) == "0123"
    assert estimate_of({"selection": {"points": [{"point_index": 3}]}}) is None
    assert estimate_of({"selection": {"points": []}}) is None


def test_the_pooled_bar_has_a_choice_of_its_own() -> None:
    assert choice_of("synergy") == "synergy"
    assert choice_of("all") == "all, pooled"


def test_settings_are_chosen_only_where_they_differ() -> None:
    new = record(settings={"tau": 0.3}, estimate_key="new")
    old = record(settings={"tau": 0.0}, estimate_key="old", created="2026-01-01T00:00:00+00:00")
    other = record(model="demo/b", settings={"tau": 0.5})
    assert settings_choice(new, [new, other]) is None
    assert settings_choice(new, [new, old, other]) == NEWEST
    assert settings_choice(old, [new, old, other]) == "tau 0.0"
