"""The Spectra page in a real Chromium: its bars, its address, its numbers."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, bars_of, opened

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SUBSETS = ("synergy", "vision", "language", "redundant")


def test_the_address_is_the_view_and_its_numbers_can_be_downloaded(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/spectra", "Spectra") as page:
        assert bars_of(page) >= 4 * len(SUBSETS)
        labels = page.locator(".js-plotly-plot .ytick").all_text_contents()
        assert {*SUBSETS} <= {*labels}
        page.get_by_role("radio", name="shares").click()
        page.get_by_text("Share of total (%)").wait_for()
        page.get_by_role("radio", name="separate").click()
        page.wait_for_url(re.compile("bars=separate"))
        address = page.url
        with page.expect_download() as download:
            page.get_by_role("button", name="Download with all settings").click()
        header, *rows = Path(download.value.path()).read_text().splitlines()
    assert {"synergy_bits", "gap_bits", "setting_tau", "run_key"} <= set(header.split(","))
    assert len(rows) >= len(SUBSETS)
    assert "unit=shares" in address
    with opened(chromium, address, "Spectra") as page:
        page.get_by_text("Share of total (%)").wait_for(timeout=WAIT)
        assert page.get_by_role("radio", name="separate").is_checked()
