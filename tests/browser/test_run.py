"""The Run page in a real Chromium: from an empty cache to bars, with a cancel on the way."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import jobs
from model_runners.jobs import cancel
from tests.browser.conftest import Dashboard
from tests.browser.looking import bars_of, opened
from tests.browser.test_spectra import SUBSETS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

PATIENCE = 120_000
"""Milliseconds after which a test gives up; nothing is measured by it."""


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """A cache that does not exist yet; what still runs in it at the end is stopped."""
    folder = tmp_path / "cache"
    yield folder
    for row in jobs.jobs(folder):
        cancel(folder, row.job_key, now=True)


def test_a_run_is_watched_cancelled_resumed_outlives_its_dashboard_and_its_bars_appear(
    cache: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    first = start_dashboard(cache)
    with opened(chromium, f"{first.url}/run", "Run") as page:
        choose(page, limit=1024, draws=1)
        page.get_by_text("5,120", exact=True).wait_for(timeout=PATIENCE)  # 1,024 times 5 passes
        page.get_by_text("no run of this model here").wait_for()
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_state(page, "running")
        job(page).get_by_text("0 of 1,024 samples").wait_for(timeout=PATIENCE)
        job(page).get_by_role("button", name="Cancel").click()
        wait_for_state(page, "cancelled")
        job(page).get_by_role("button", name="Resume").click()
        wait_for_state(page, "running")
        wait_until_it_moves(page)
    first.process.kill()
    first.process.wait()
    (row,) = jobs.jobs(cache)
    assert row.state == "running"

    url = start_dashboard(cache).url
    with (
        opened(chromium, f"{url}/spectra", "Spectra") as page,
        opened(chromium, f"{url}/run", "Run") as other_tab,
    ):
        wait_for_state(other_tab, "done")
        assert len(jobs.jobs(cache)) == 1
        other_tab.get_by_text("measured by job").wait_for(timeout=PATIENCE)
        assert bars_of(page, within=PATIENCE) >= 4 * len(SUBSETS)  # nobody has touched this page


def choose(page: "Page", *, limit: int, draws: int) -> None:
    for label, number in (("First samples", limit), ("Draws of noise", draws)):
        field = page.get_by_role("spinbutton", name=label)
        field.fill(str(number))
        field.press("Enter")


def job(page: "Page") -> "Locator":
    """The newest job's card."""
    return page.locator("[class*=st-key-job_]").first


def wait_for_state(page: "Page", state: str, *, within: int = PATIENCE) -> None:
    job(page).get_by_text(state, exact=True).wait_for(timeout=within)


def wait_until_it_moves(page: "Page") -> None:
    """Watch the newest job until it has been seen at two positions."""
    seen: set[str] = set()
    end = time.monotonic() + PATIENCE / 1000
    while len(seen) < 2:
        assert time.monotonic() < end, seen
        texts = job(page).get_by_test_id("stProgress").all_inner_texts()
        seen |= {found[0] for text in texts if (found := re.search(r"[\d,]+ of 1,024", text))}
        page.wait_for_timeout(50)
