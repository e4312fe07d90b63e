"""Statistics over models in a real Chromium: from a correlation to its models, by link too."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, bars_of, centre, opened
from tests.pages.caches import build_cache
from tests.pages.many_models import models

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

FIRST = ".js-plotly-plot >> nth=0 >> .scatterlayer .point"
"""The points of the first chart; the models behind them are drawn below it."""


def click(page: "Page", mark: str) -> None:
    """Click the last mark of a kind, once the charts stand still and it answers to the mouse."""
    page.locator(".js-plotly-plot").nth(1).wait_for(state="attached", timeout=WAIT)
    marks = page.locator(mark)
    marks.last.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    place = centre(marks.last.bounding_box())
    page.mouse.move(*place)
    page.locator(".hoverlayer .hovertext").first.wait_for()
    page.mouse.click(*place)


def test_a_correlation_and_a_task_lead_to_the_models_behind_them_and_a_link_shows_the_same(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    cache = build_cache(
        tmp_path / "cache",
        [*models(6, benchmark="fuse"), *models(6, benchmark="know", lead="unique_2", seed=1)],
    )
    address = f"{start_dashboard(cache).url}/families?show=What+goes+with+accuracy"
    with opened(chromium, address, "Families", width=420) as page:
        click(page, FIRST)
        page.get_by_text("Co-information (bits)").first.wait_for(timeout=WAIT)
        page.get_by_text("D_vision (points)").first.wait_for()
        page.wait_for_url(re.compile("across=Co-information"))
        address = page.url
    with opened(chromium, address, "Families", scheme="dark") as page:
        page.get_by_text("Co-information (bits)").first.wait_for(timeout=WAIT)
        page.get_by_role("radio", name="Tasks and regimes").click()
        assert bars_of(page) == 2 * 2
        page.get_by_role("heading", name="Do families keep their strategy?").wait_for()
        click(page, ".js-plotly-plot .bars .point path")
        page.get_by_text("D_vision (points)").first.wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("benchmark=know"))
        page.get_by_role("radio", name="Tasks and regimes").click()
        page.get_by_text("Click a mark to see the models of that family.").wait_for(timeout=WAIT)
        click(page, ".st-key-regime_pairs .scatterlayer .point")
        for _ in range(60):
            if page.get_by_text("D_vision (points)").count():
                break
            page.wait_for_timeout(500)
        else:  # plotly loses a click that comes while it draws anew; a person would click again
            click(page, ".st-key-regime_pairs .scatterlayer .point")
        page.get_by_text("D_vision (points)").first.wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("hidden="))
