"""Checkpoints do not crowd the pickers: they are listed where the address names them."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_cache.checkpoints import Checkpoint
from tests.pages.caches import build_cache
from tests.pages.spectra import record
from tests.pages.test_spectra import APP

POINTS = [Checkpoint(trajectory="demo/b", stage="all", step=step) for step in (100, 200)]
FIRST, SECOND = (point.model for point in POINTS)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    return folder


def open_spectra(*models: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    if models:
        app.query_params["models"] = list(models)
    app.switch_page("pages/spectra.py").run()
    assert not app.exception, app.exception
    return app


def listed(app: AppTest) -> list[str]:
    return app.multiselect(key="models").options


def test_a_checkpoint_is_listed_only_where_the_address_names_it(cache: Path) -> None:
    records = [record(model=model) for model in ("demo/a", FIRST, SECOND)]
    build_cache(cache, records, checkpoints=POINTS)
    assert listed(open_spectra()) == ["demo/a"]
    app = open_spectra("demo/a", SECOND)
    assert listed(app) == ["demo/a", SECOND]
    assert app.multiselect(key="models").value == ["demo/a", SECOND]
    assert len(app.dataframe[0].value) == 2
    app.multiselect(key="models").set_value(["demo/a"]).run()
    app.run()
    assert listed(app) == ["demo/a"]


def test_where_nothing_else_is_stored_all_checkpoints_are_listed(cache: Path) -> None:
    build_cache(cache, [record(model=FIRST), record(model=SECOND)], checkpoints=POINTS)
    assert listed(open_spectra()) == [FIRST, SECOND]
