"""What the cache holds is read once: neither a click nor a second session gets a copy of it."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.widgets import state
from tests.pages.caches import build_cache
from tests.pages.spectra import ideal_records

APP = str(Path(__file__).parents[2] / "app.py")


def test_clicks_and_sessions_share_one_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = build_cache(tmp_path / "cache", ideal_records())
    monkeypatch.setenv("PIDSCOPE_CACHE", str(cache))
    one = AppTest.from_file(APP, default_timeout=60).run()
    first = one.session_state[state.READING]
    assert len(first.spectra) == 4
    one.run()
    two = AppTest.from_file(APP, default_timeout=60).run()
    assert one.session_state[state.READING] is first
    assert two.session_state[state.READING] is first
