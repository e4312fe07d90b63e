"""Where the time of runs went stands beside the runs, with what would make them shorter."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_cache.queries import runs
from data_cache.run_times import note_time
from pages.figures.time_shares import TimedRun, describe, grouped, time_shares
from pages.widgets import state
from pages.widgets.times_shown import frame_of
from tests.model_runners.test_time_advice import ENTRY
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import open_page


def test_a_bar_is_whole_and_its_words_are_text() -> None:
    run = TimedRun(name="<b>m</b> on b", entry=replace(ENTRY, parts={"language": 60.0}))
    assert sum(grouped(run.entry).values()) == pytest.approx(100)
    figure = time_shares([run])
    assert {trace.name for trace in figure.data} == {"Language", "Other"}
    assert "&lt;b&gt;m" in figure.layout.annotations[0].text
    assert describe([run]) == "<b>m</b> on b: 100.0 s, of it language 60 %, other 40 %."
    frame = frame_of([run])
    assert list(frame["Part"]) == ["text stack", "everything else"]
    assert list(frame["Seconds"]) == [60.0, 40.0]


def test_the_runs_behind_a_page_say_where_their_time_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    build_cache(cache, [record("synergy")])
    (run,) = runs(cache)
    note_time(cache, run.run_key, replace(ENTRY, parts={"waiting": 70.0}))
    app = open_page()
    app.session_state[state.SETTINGS_OPEN] = True
    app.run()
    assert any("70% of the time went to pre-processing" in text.value for text in app.text)
