"""The first start in a real Chromium: an empty cache, the demo in one click, a cell, spectra."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.test_samples import centre
from tests.browser.test_spectra import bars_of, opened, save_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

WAIT = 60_000


def test_from_an_empty_cache_to_the_spectra_of_a_cell(
    tmp_path: Path,
    start_dashboard: Callable[[Path], Dashboard],
    chromium: "Browser",
    request: pytest.FixtureRequest,
) -> None:
    dashboard = start_dashboard(tmp_path / "cache")
    pictures = request.config.getoption("--save-pictures")
    with opened(chromium, dashboard.url, heading="Overview", width=420, scheme="dark") as page:
        if pictures:
            save_picture(page, "overview-empty-narrow-dark")
        page.get_by_role("button", name="Load the demo").click()
        bars_of(page)
        page.get_by_text("oracle", exact=True).wait_for()
        if pictures:
            save_picture(page, "overview-narrow-dark")
    with opened(chromium, dashboard.url, heading="Overview", width=1600) as page:
        bars_of(page)
        if pictures:
            save_picture(page, "overview-wide-light")
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
