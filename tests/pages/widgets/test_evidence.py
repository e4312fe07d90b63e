from streamlit.testing.v1 import AppTest

from pages.report.parts import Table
from pages.widgets import state
from pages.widgets.evidence import badges, split_settings
from tests.pages.spectra import ideal_records, record


def texts(records, unit="bits"):
    return [badge.text for badge in badges(records, unit=unit)]


def test_exact_and_plentiful_rows_have_one_green_badge() -> None:
    (badge,) = badges(ideal_records(), unit="bits")
    assert badge.colour == "green"
    assert badge.text == "exact within 0.0004 bits"


def test_a_wide_gap_is_orange() -> None:
    assert badges([record(gap_bits=0.2)], unit="bits")[0].colour == "orange"


def test_what_weakens_a_row_is_counted() -> None:
    weak = record(
        "mixed",
        atoms=(1.0, 0.3, 0.1, -0.2),
        n=64,
        noise_floor_bits=0.3,
        fallback_rate={"only_1": 0.5},
    )
    found = " / ".join(texts([weak, record(noise_floor_bits=None)]))
    for words in ("1 row hatched", "negative atom in 1 row", "noise floor", "fewer than 200"):
        assert words in found


def test_shares_of_nothing_are_named_only_where_shares_are_shown() -> None:
    silent = record("mixed", atoms=(0.001, 0.001, 0.001, 0.001))
    assert "no shares in 1 row" in texts([silent], unit="shares")
    assert "no shares in 1 row" not in texts([silent])


def test_settings_are_told_once_where_they_are_the_same() -> None:
    records = [
        record("synergy", settings={"tau": 0.3, "draws": 4}),
        record("vision", settings={"tau": 0.0, "draws": 4}),
    ]
    shared, differing = split_settings(records)
    assert shared["draws"] == "4"
    assert "tau" not in shared
    assert list(differing["tau"]) == ["0.3", "0.0"]


def test_a_probe_that_is_surer_than_right_has_a_badge() -> None:
    sure = {
        "confidence": {"only_1": 0.86, "only_2": 0.3},
        "accuracy_forced": {"only_1": 0.25, "only_2": 0.25},
    }
    honest = {
        "confidence": {"only_1": 0.3, "only_2": 0.3},
        "accuracy_forced": {"only_1": 0.25, "only_2": 0.25},
    }
    rows = [record(diagnostics=sure), record(diagnostics=honest), record(diagnostics={})]
    assert "overconfident alone in 1 row" in texts(rows)


def page_of_settings() -> None:
    from pages.widgets import drawn
    from pages.widgets.evidence import show_settings
    from tests.pages.spectra import ideal_records

    drawn.begin()
    show_settings(ideal_records())


def test_closed_settings_are_not_drawn_and_yet_in_the_report() -> None:
    def names(app: AppTest) -> list[str]:
        noted = app.session_state[state.DRAWN_PARTS]
        return [part.name for part in noted if isinstance(part, Table)]

    app = AppTest.from_function(page_of_settings, default_timeout=30).run()
    assert not app.dataframe
    assert names(app) == ["settings", "settings_of_rows"]
    app.session_state[state.SETTINGS_OPEN] = True
    app.run()
    assert len(app.dataframe) == 2
    assert names(app) == ["settings", "settings_of_rows"]
