"""The export is closed at first and costs nothing then; opened, it names all that is shown."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.widgets import state
from tests.pages.caches import build_cache
from tests.pages.spectra import ideal_records
from tests.pages.test_spectra import APP

ADDRESS = "spectra?unit=shares&benchmark=digits_vqa&models=demo%2Foracle"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppTest]:
    with pytest.MonkeyPatch.context() as patch:
        folder = build_cache(tmp_path_factory.mktemp("export"), ideal_records())
        patch.setenv("PIDSCOPE_CACHE", str(folder))
        app = AppTest.from_file(APP, default_timeout=60)
        app.query_params["unit"] = "shares"
        yield app.switch_page("pages/spectra.py").run()
    st.cache_data.clear()


def exports(app: AppTest) -> dict[str, Any]:
    """The buttons of the export, by their keys."""
    buttons = [one.proto for one in app.get("download_button")]
    return {one.id.rsplit("-", 1)[-1]: one for one in buttons if "-export_" in one.id}


def opened(app: AppTest, is_open: bool = True) -> AppTest:
    app.session_state[state.EXPORT] = is_open
    app.run()
    assert not app.exception, app.exception
    return app


def test_nothing_is_offered_or_kept_before_it_is_opened(page: AppTest) -> None:
    opened(page, is_open=False)
    assert [one.label for one in page.expander].count("Export") == 1
    assert not exports(page)
    assert state.DRAWN_PARTS not in page.session_state


def test_every_figure_and_table_of_the_page_is_offered(page: AppTest) -> None:
    found = exports(opened(page))
    assert {"export_report", "export_spectrum_bars_html", "export_accuracy_dots_csv"} <= set(found)
    assert "export_spectrum_table_parquet" in found
    assert "export_spectrum_table_html" not in found, "a table alone is CSV and Parquet"
    assert all(one.deferred_file_id for one in found.values()), "files are made when asked for"
    assert state.DRAWN_PARTS not in page.session_state, "no figure outlives the run"


def test_the_lines_name_what_nobody_chose_too(page: AppTest) -> None:
    codes = [one.value for one in opened(page).code]
    (command,) = (one for one in codes if one.startswith("python -m pages.report"))
    assert f"--address '{ADDRESS}'" in command
    assert sum(one.startswith("python -m model_runners estimate") for one in codes) == 1


def test_the_camera_saves_what_is_chosen(page: AppTest) -> None:
    def options(app: AppTest) -> list[str]:
        return [one.proto.config for one in app.get("plotly_chart")]

    assert all('"format": "png"' in one for one in options(opened(page)))
    page.session_state[state.PICTURE_FORMAT] = "SVG"
    page.run()
    assert all('"format": "svg"' in one for one in options(page))
    assert all('"format": "svg"' in one for one in options(opened(page, is_open=False)))


def test_a_page_without_a_figure_or_table_has_no_export(page: AppTest) -> None:
    page.switch_page("pages/layers.py").run()
    assert "Export" not in [one.label for one in page.expander]


def test_names_of_parts_are_never_the_same() -> None:
    def script() -> None:
        import pandas as pd
        import plotly.graph_objects as go
        import streamlit as st

        from pages.report.parts import Figure, Table
        from pages.widgets import drawn

        drawn.note(Figure(name="before", figure=go.Figure(), alt=""))
        drawn.begin()
        for _ in range(2):
            drawn.note(Figure(name="loss", figure=go.Figure(), alt=""))
        drawn.note(Table(name="loss", frame=pd.DataFrame(), alt=""))
        st.session_state["names"] = [one.name for one in drawn.parts()]
        drawn.end()
        drawn.note(Figure(name="after", figure=go.Figure(), alt=""))
        st.session_state["left"] = drawn.parts()

    app = AppTest.from_function(script).run()
    assert app.session_state["names"] == ["loss", "loss_2", "loss_3"]
    assert app.session_state["left"] == ()
