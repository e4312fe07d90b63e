"""From a hard sample to a trained adapter, and what it changed, in a real Chromium."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import jobs
from data_cache.adapters import adapters
from data_cache.shipped import load_demo
from model_runners.jobs import cancel
from tests.browser.conftest import Dashboard
from tests.browser.looking import opened
from tests.browser.test_run import PATIENCE, choose, job, wait_for_state
from tests.browser.test_samples import open_sample
from tests.pages.adapters import BASE

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

MEASURED_WITHIN = 600_000
"""Milliseconds. A training is followed by a run over the whole test split."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The demo's cache; what still runs in it at the end is stopped."""
    cache = tmp_path / "cache"
    load_demo(cache)
    yield cache
    for row in jobs.jobs(cache):
        cancel(cache, row.job_key, now=True)


def test_a_hard_sample_leads_to_an_adapter_and_what_it_changed(
    demo: Path,
    start_dashboard: Callable[[Path], Dashboard],
    chromium: "Browser",
) -> None:
    dashboard = start_dashboard(demo)
    address = f"{dashboard.url}/samples?model={BASE}&subset=synergy"
    with opened(chromium, address, "Samples") as page:
        open_sample(page)
        page.get_by_text("never on this one").wait_for(timeout=PATIENCE)
        page.get_by_role("button", name="LoRA-PID").click()
        page.get_by_role("heading", name="LoRA-PID").wait_for(timeout=PATIENCE)
        page.get_by_text(re.compile(r"From sample synergy-\d+ \(test split")).wait_for()
        assert page.get_by_role("combobox", name="Model").first.is_visible()

        choose(page, limit=64, draws=1)
        page.get_by_text("at most 13").wait_for(timeout=PATIENCE)
        page.get_by_text("they are measured first").wait_for()
        page.get_by_text("15 trainings as one job").wait_for()
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_state(page, "running")
        job(page).locator(".js-plotly-plot").first.wait_for(timeout=MEASURED_WITHIN)
        job(page).get_by_text(re.compile("of 4, .*learning rate")).wait_for(timeout=PATIENCE)
        wait_for_state(page, "done", within=MEASURED_WITHIN)

        page.get_by_text("Test split, none of it was trained on").wait_for(timeout=PATIENCE)
        page.locator(".st-key-atoms_before_after .js-plotly-plot").wait_for(timeout=PATIENCE)
        page.get_by_text("1,408 test questions that all of them answered").wait_for()
        page.get_by_role("heading", name="Which answers moved").wait_for()
        # What the training has measured tells now what the next one would weigh.
        page.get_by_text("Which samples weigh how much").click()
        page.get_by_text("chooses the same").wait_for(timeout=PATIENCE)
        (adapter,) = adapters(demo)
        assert (adapter.base, adapter.state, adapter.n_train) == (BASE, "profiled", 64)
        assert adapter.name in page.get_by_role("combobox", name="Adapter").input_value()

        page.get_by_role("button", name="Compare with base").click()
        page.get_by_role("heading", name="Compare").wait_for(timeout=PATIENCE)
        page.get_by_text(adapter.name).first.wait_for(timeout=PATIENCE)
