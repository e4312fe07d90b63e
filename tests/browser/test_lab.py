"""The Estimator lab in a real Chromium: a gate without a cache, then a cached run."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache.ingest import ingest
from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, bars_of, opened
from tests.data_cache.spools import profile, small_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_a_gate_is_computed_and_kept_and_then_a_setting_of_a_run_is_varied(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    cache = tmp_path / "cache"
    profile(cache, small_benchmark(64), model="demo/soft", draws=1, mask_scope="all")
    ingest(cache)
    url = start_dashboard(cache).url
    with opened(chromium, f"{url}/lab?problem=and", "Estimator lab") as page:
        page.get_by_role("button", name="Compute 1 estimate").click()
        assert bars_of(page) == 4
        page.get_by_text("Take this one.").wait_for()
        page.goto(f"{url}/lab?problem=and")
        assert bars_of(page) == 4  # without computing it again
        page.goto(f"{url}/lab?lab=cached+run&subset=left&over=clusters")
        page.get_by_role("button", name="Compute 3 estimates").click()
        page.get_by_text(re.compile("ipfp: .*move")).wait_for(timeout=WAIT)
