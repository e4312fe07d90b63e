"""The Estimator lab in a real Chromium: a gate without a cache, then a cached run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache.ingest import ingest
from tests.browser.conftest import Dashboard
from tests.browser.test_spectra import bars_of, opened, save_picture
from tests.data_cache.spools import profile, small_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[[Path], Dashboard]
) -> Dashboard:
    """A dashboard on one small run."""
    cache = tmp_path_factory.mktemp("lab") / "cache"
    profile(cache, small_benchmark(64), model="demo/soft", draws=1, mask_scope="all")
    ingest(cache)
    return start_dashboard(cache)


def test_a_gate_is_computed_and_kept_and_then_a_setting_of_a_run_is_varied(
    lab: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{lab.url}/lab?problem=and", heading="Estimator lab") as page:
        page.get_by_role("button", name="Compute 1 estimate").click()
        assert bars_of(page) == 4
        page.get_by_text("Take this one.").wait_for()
        page.goto(f"{lab.url}/lab?problem=and")
        assert bars_of(page) == 4  # without computing it again
        page.goto(f"{lab.url}/lab?lab=cached+run&subset=left&over=clusters")
        page.get_by_role("button", name="Compute 3 estimates").click()
        page.get_by_text(re.compile("ipfp: .*move")).wait_for(timeout=60_000)


@pytest.mark.parametrize(("width", "scheme"), [(420, "dark"), (1600, "light")])
def test_it_fits_narrow_and_wide_screens(
    lab: Dashboard, chromium: "Browser", width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    address = f"{lab.url}/lab?lab=predictive+case&problem=redundant&estimators=certified"
    address += "&estimators=ipfp"
    with opened(chromium, address, heading="Estimator lab", width=width, scheme=scheme) as page:
        button = page.get_by_role("button", name="Compute 2 estimates")
        page.get_by_text("Which number to trust").or_(button).first.wait_for(timeout=60_000)
        if button.count():
            button.click()
        assert bars_of(page) == 4 * 4
        if request.config.getoption("--save-pictures"):
            save_picture(page, f"lab-{'wide' if width > 1000 else 'narrow'}-{scheme}")
