"""The Training page on real caches: curves, pickers, address and coverage."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.widgets import state
from tests.pages.caches import build_cache
from tests.pages.markup import HOSTILE, markup, mentions
from tests.pages.spectra import record
from tests.pages.test_spectra import APP, charts, words
from tests.pages.trainings import CHECKPOINTS, build_trainings

NAMES = ("demo/a", "demo/b")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a cache, which does not exist yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_training(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.switch_page("pages/training.py").run()
    assert not app.exception, app.exception
    return app


def lines(app: AppTest, chart: int = 0) -> list[dict]:
    return [one for one in charts(app)[chart]["data"] if one.get("mode") == "lines+markers"]


def test_without_a_training_the_page_says_how_one_is_measured(cache: Path) -> None:
    build_cache(cache, [record()])
    page = words(open_training())
    assert "No training measured yet" in page
    assert "-m model_runners training FOLDER --benchmark digits_vqa" in page


def test_trainings_stand_side_by_side_on_one_scale(cache: Path) -> None:
    build_trainings(cache, NAMES)
    app = open_training()
    assert [one["layout"]["title"]["text"] for one in charts(app)] == list(NAMES)
    ranges = [one["layout"]["yaxis"]["range"] for one in charts(app)]
    assert ranges[0] == ranges[1]
    synergy = next(one for one in lines(app) if one["name"] == "Synergy")
    assert len(synergy["hovertext"]) == CHECKPOINTS
    tables = [one.value for one in app.dataframe]
    stages = next(one for one in tables if "Stage" in one)
    assert list(stages["Steps"]) == ["50 to 150", "150 to 400"] * 2
    assert list(stages["Synergy (bits)"]) == ["+0.000", "+1.250"] * 2
    changes = next(one for one in tables if "Changes at step" in one)
    assert set(changes[changes["Atom"] == "Synergy"]["Changes at step"]) == {"200"}
    assert set(changes[changes["Atom"] == "Redundancy"]["Changes at step"]) == {"none"}


def test_the_address_decides_what_is_drawn_and_says_what_is_not_here(cache: Path) -> None:
    build_trainings(cache, NAMES)
    app = open_training(trainings=["demo/b"], panels="atoms", along="share", subset="nothing")
    (chart,) = charts(app)
    assert "Share of the training (%)" in str(chart["layout"])
    assert len(lines(app)) == 6
    assert "subset “nothing”" in words(app)


def test_what_is_missing_is_named_with_the_command_that_measures_it(cache: Path) -> None:
    build_trainings(cache, NAMES[:1], missing=2)
    app = open_training()
    page = words(app)
    assert f"{CHECKPOINTS - 2} of {CHECKPOINTS} checkpoints are measured" in page
    assert "missing are the steps 300; 400" in page
    assert "training '/of mine' --name demo/a --benchmark digits_vqa --draws 1" in page
    assert "--limit 2 --split test" in page
    app.session_state[state.TRAINING_COVERAGE_OPEN] = True
    app.run()
    assert not app.exception
    coverage = next(one.value for one in app.dataframe if "Missing steps" in one.value)
    assert coverage.to_dict("records")[0]["Measured"] == CHECKPOINTS - 2


def test_neither_a_training_nor_a_stage_is_taken_for_markup(cache: Path) -> None:
    build_trainings(cache, [HOSTILE], missing=1)
    app = open_training()
    assert mentions(app)
    assert markup(app) == []
    app.segmented_control(key="panels").set_value("atoms").run()
    assert not app.exception
    assert markup(app) == []
