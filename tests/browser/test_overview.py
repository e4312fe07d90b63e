"""The first start in a real Chromium: an empty cache, the demo in one click, a cell, spectra."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, bars_of, centre, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_from_an_empty_cache_to_the_spectra_of_a_cell(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    dashboard = start_dashboard(tmp_path / "cache")
    with opened(chromium, dashboard.url, "Overview", width=420, scheme="dark") as page:
        page.get_by_role("button", name="Load the demo").click()
        bars_of(page)
        page.get_by_text("oracle", exact=True).wait_for()
    with opened(chromium, dashboard.url, "Overview", width=1600) as page:
        bars_of(page)
        page.wait_for_timeout(1000)
        page.mouse.click(*centre(page.get_by_text("1.4k").nth(1).bounding_box()))
        page.get_by_role("heading", name="Spectra").wait_for(timeout=WAIT)
        bars_of(page)
        chosen = page.get_by_test_id("stSidebar").get_by_text("demo/fusion-small", exact=True)
        chosen.wait_for()
        assert page.get_by_test_id("stSidebar").get_by_text("demo/oracle", exact=True).count() == 0
        page.wait_for_url(re.compile("models=demo"), timeout=15_000)
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("heading", name="Overview").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile(r"^[^?]*$"), timeout=15_000)
        page.get_by_role("link", name="Spectra").click()
        chosen.wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("models=demo"), timeout=15_000)
        page.goto(f"{dashboard.url}/overview")
        page.get_by_role("heading", name="Overview").wait_for(timeout=WAIT)
        page.wait_for_url(f"{dashboard.url}/", timeout=15_000)
