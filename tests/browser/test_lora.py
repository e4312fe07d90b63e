"""From a hard sample to a trained adapter, and what it changed, in a real Chromium."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import jobs
from data_cache.adapters import adapters
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.requests import request_of, title_of
from model_runners.jobs import cancel
from tests.browser.conftest import ROOT, Dashboard
from tests.browser.test_run import PATIENCE, choose, job, wait_for_state
from tests.browser.test_samples import open_sample
from tests.browser.test_spectra import opened, save_picture
from tests.pages.adapters import BASE, build_adapters, write_adapter

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MEASURED_WITHIN = 600_000
"""Milliseconds. A training is followed by a run over the whole test split."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The demo's cache; what still runs in it at the end is stopped."""
    cache = tmp_path / "cache"
    subprocess.run(
        [sys.executable, "-m", "model_runners", "demo", "load", "--cache", str(cache)],
        cwd=ROOT,
        check=True,
    )
    yield cache
    for row in jobs.jobs(cache):
        cancel(cache, row.job_key, now=True)


def test_a_hard_sample_leads_to_an_adapter_and_what_it_changed(
    demo: Path,
    start_dashboard: Callable[[Path], Dashboard],
    chromium: "Browser",
    request: pytest.FixtureRequest,
) -> None:
    dashboard = start_dashboard(demo)
    address = f"{dashboard.url}/samples?model={BASE}&subset=synergy"
    with opened(chromium, address, heading="Samples") as page:
        open_sample(page)
        page.get_by_text("never on this one").wait_for(timeout=PATIENCE)
        page.get_by_role("button", name="LoRA-PID").click()
        page.get_by_role("heading", name="LoRA-PID").wait_for(timeout=PATIENCE)
        page.get_by_text(re.compile(r"From sample synergy-\d+ \(test split")).wait_for()
        assert page.get_by_role("combobox", name="Model").first.is_visible()

        choose(page, limit=64, draws=1)
        epochs = page.get_by_role("spinbutton", name="Epochs")
        epochs.fill("1")
        epochs.press("Enter")
        page.get_by_text("at most 16").wait_for(timeout=PATIENCE)
        page.get_by_role("button", name="Start", exact=True).click()
        wait_for_state(page, "running")
        job(page).locator(".js-plotly-plot").wait_for(timeout=MEASURED_WITHIN)
        wait_for_state(page, "done", within=MEASURED_WITHIN)

        page.get_by_text("Test split, none of it was trained on").wait_for(timeout=PATIENCE)
        (adapter,) = adapters(demo)
        assert (adapter.base, adapter.state, adapter.n_train) == (BASE, "profiled", 64)
        assert adapter.name in page.get_by_role("combobox", name="Adapter").input_value()
        if request.config.getoption("--save-pictures"):
            save_picture(page, "lora-light")

        page.get_by_role("button", name="Compare with base").click()
        page.get_by_role("heading", name="Compare").wait_for(timeout=PATIENCE)
        page.get_by_text(adapter.name).first.wait_for(timeout=PATIENCE)


@pytest.fixture(scope="module")
def dashboard(
    tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[[Path], Dashboard]
) -> Dashboard:
    """A dashboard on a cache with finished adapters, and one whose training goes on."""
    cache = tmp_path_factory.mktemp("adapters") / "cache"
    build_adapters(cache, "uniform", "fp", "pid")
    options = FinetuneOptions(model=BASE, benchmark="digits_vqa", limit=32)
    row = jobs.open_or_create(cache, options.kind, request_of(options), title_of(options))
    jobs.claim(cache, row.job_key)
    jobs.report(cache, row.job_key, 64, 128, 8.0, "training: step 2 of 4, loss 1.000")
    asked = {**request_of(options), "learning_rate": 0.003}
    write_adapter(cache, state="training", losses=2, options=asked, created="2026-11-21T09:00:00")
    return start_dashboard(cache)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_it_fits_narrow_and_wide_screens(
    dashboard: Dashboard, chromium: "Browser", width: int, scheme: str
) -> None:
    with opened(
        chromium, f"{dashboard.url}/lora", heading="LoRA-PID", width=width, scheme=scheme
    ) as page:
        job(page).locator(".js-plotly-plot").wait_for(timeout=PATIENCE)
        job(page).get_by_text("64 of 128 samples").wait_for()
        page.get_by_text("Test split, none of it was trained on").wait_for(timeout=PATIENCE)
        assert drawn(page) >= 4, "loss, atoms, accuracies, scores"
        page.get_by_text("The first gap samples by GapScore").click()
        page.locator("img[alt='Image of s0000']").wait_for(timeout=PATIENCE)


def drawn(page: "Page") -> int:
    """Count the figures of the page, once its last part is there."""
    page.get_by_role("heading", name="What it learned from").wait_for(timeout=PATIENCE)
    page.locator(".js-plotly-plot .barlayer .point").first.wait_for(
        state="attached", timeout=PATIENCE
    )
    return page.locator(".js-plotly-plot").count()
