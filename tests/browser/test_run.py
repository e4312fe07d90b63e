"""The Run page in a real Chromium: from an empty cache to bars, with a cancel on the way."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import jobs
from model_runners.jobs import cancel, start
from model_runners.profile import ProfileOptions
from model_runners.requests import KIND, request_of, title_of
from tests.browser.conftest import Dashboard
from tests.browser.test_spectra import SUBSETS, bars_of, opened, save_picture

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


def test_a_run_is_started_watched_cancelled_resumed_and_its_bars_are_there(
    cache: Path,
    start_dashboard: Callable[[Path], Dashboard],
    chromium: "Browser",
    request: pytest.FixtureRequest,
) -> None:
    dashboard = start_dashboard(cache)
    with opened(chromium, f"{dashboard.url}/run", heading="Run") as page:
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
        assert len(positions_until_done(page)) > 1, "progress was seen to move"
        with opened(chromium, f"{dashboard.url}/run", heading="Run") as other_tab:
            wait_for_state(other_tab, "done")
        assert len(jobs.jobs(cache)) == 1
        page.get_by_text("measured by job").wait_for(timeout=PATIENCE)
        if request.config.getoption("--save-pictures"):
            save_picture(page, "run-light")

        page.get_by_role("link", name="Spectra").click()
        assert bars_of(page) >= 4 * len(SUBSETS)


def test_a_run_outlives_its_dashboard_and_the_next_one_shows_it(
    cache: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    first = start_dashboard(cache)
    with opened(chromium, f"{first.url}/run", heading="Run") as page:
        choose(page, limit=1024, draws=1)
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_state(page, "running")
    first.process.kill()
    first.process.wait()
    (row,) = jobs.jobs(cache)
    assert row.state == "running"
    with opened(chromium, f"{start_dashboard(cache).url}/run", heading="Run") as page:
        wait_for_state(page, "done")
    assert len(jobs.jobs(cache)) == 1


def test_spectra_appear_on_an_open_page_when_its_run_ends(
    cache: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    options = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", split="test", limit=64, draws=1
    )
    start(cache, options)
    with opened(chromium, f"{start_dashboard(cache).url}/spectra") as page:
        page.get_by_test_id("stSidebar").get_by_text("demo/oracle on digits_vqa").wait_for()
        assert bars_of(page, within=PATIENCE) > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_it_fits_narrow_and_wide_screens(
    dashboard: Dashboard, chromium: "Browser", width: int, scheme: str
) -> None:
    with opened(
        chromium, f"{dashboard.url}/run", heading="Run", width=width, scheme=scheme
    ) as page:
        page.get_by_text("a sentence that says what happened").wait_for()
        page.get_by_role("button", name="Start", exact=True).wait_for()
        page.get_by_text("Log", exact=True).first.click()
        page.get_by_text("Nothing has been written yet.").wait_for()


@pytest.fixture(scope="module")
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[[Path], Dashboard]
) -> Dashboard:
    """A dashboard on a cache with jobs in every state, one of them at work."""
    cache = tmp_path_factory.mktemp("jobs") / "cache"
    for limit, state in enumerate(("done", "failed", "cancelled", "lost", "running"), start=1):
        options = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=limit)
        key = jobs.open_or_create(cache, KIND, request_of(options), title_of(options)).job_key
        jobs.claim(cache, key, 2**22 + 1 if state == "lost" else None)
        if state != "lost":
            jobs.report(cache, key, limit * 10, 64, 8.0, "spectrum 1 of 5: synergy")
        if state in {"done", "failed", "cancelled"}:
            error = "a sentence that says what happened" if state == "failed" else None
            jobs.finish(cache, key, state, error, message=f"{state} " * 30)
    return start_dashboard(cache)


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


def positions_until_done(page: "Page") -> set[str]:
    """Every position that the newest job was seen at."""
    seen: set[str] = set()
    end = time.monotonic() + PATIENCE / 1000
    while not job(page).get_by_text("done", exact=True).count():
        assert time.monotonic() < end, seen
        texts = job(page).get_by_test_id("stProgress").all_inner_texts()
        seen |= {found[0] for text in texts if (found := re.search(r"[\d,]+ of 1,024", text))}
        page.wait_for_timeout(50)
    return seen
