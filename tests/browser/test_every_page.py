"""Every page without an exception or an error in the console, narrow and wide, in four caches."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import jobs
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.requests import request_of as training_of
from model_runners.finetuning.requests import title_of as training_title_of
from model_runners.profile import ProfileOptions
from model_runners.requests import KIND, request_of, title_of
from tests.browser.conftest import Dashboard
from tests.browser.looking import HEIGHT, WAIT, bars_of, go_to, opened, title, wait_until_drawn
from tests.pages.adapters import BASE, build_adapters, write_adapter
from tests.pages.large_cache import (
    BENCHMARK_BY_LAYER,
    LAYERED_DEPTH,
    SMALL,
    build_large_cache,
    chosen_models,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PAGES = (
    *("Overview", "Spectra", "Samples", "Layers", "Training", "Families", "Findings"),
    *("Compare", "Estimator lab", "LoRA-PID", "Benchmarks", "Run"),
)
OF_RESULTS = ("Spectra", "Samples", "Layers", "Families", "Findings", "Compare")
WIDTHS = (420, 1600)


def visits(page: "Page", with_charts: tuple[str, ...] = ()) -> Iterator[str]:
    """Go through all pages by their links, and see each drawn, whole, on two screens."""
    for heading in PAGES:
        if heading != PAGES[0]:
            go_to(page, heading)
        if heading in with_charts:
            page.locator(".js-plotly-plot").first.wait_for(state="attached", timeout=WAIT)
        wait_until_drawn(page)
        yield heading
        fits(page, heading)


def fits(page: "Page", heading: str) -> None:
    """See that a page raised nothing, and that nobody has to scroll it sideways."""
    raised = page.get_by_test_id("stException").all_inner_texts()
    assert not raised, f"{heading}: {raised[0]}"
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        taken = page.evaluate("document.documentElement.scrollWidth")
        assert taken <= width, f"{heading} is {taken} wide on a screen of {width}"


def test_on_an_empty_cache_every_page_says_what_to_do(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    url = start_dashboard(tmp_path / "cache").url
    with opened(chromium, url, "Overview", width=WIDTHS[-1], scheme="dark") as page:
        for heading in visits(page):
            if heading in OF_RESULTS:
                page.get_by_text("Nothing to show yet").wait_for()
                page.get_by_text("python -m model_runners demo load").wait_for()
        title(page, "Run").wait_for()
        page.get_by_role("button", name="Start", exact=True).wait_for()


def test_the_demo_is_drawn_on_every_page(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, demo.url, "Overview", width=WIDTHS[-1]) as page:
        for heading in visits(page, with_charts=("Overview", "Spectra", "Families", "Compare")):
            if heading == "Samples":
                page.locator("img[alt='Image of sample 24']").wait_for(timeout=WAIT)


def test_a_study_of_26_models_on_6_benchmarks_and_28_layers_is_drawn_on_every_page(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    url = start_dashboard(build_large_cache(tmp_path / "cache", SMALL)).url
    layered = [name for name, one in chosen_models(SMALL.models) if one.layers == LAYERED_DEPTH]
    # The address is from when Spectra was the first page.
    with opened(chromium, f"{url}/?benchmark={BENCHMARK_BY_LAYER}", "Spectra", width=1600) as page:
        assert bars_of(page) > 0
        chosen = page.get_by_role("combobox", name="Benchmark")
        assert chosen.input_value() == BENCHMARK_BY_LAYER
        go_to(page, "Overview")
        for heading in visits(page, with_charts=("Overview", "Spectra", "Families", "Compare")):
            if heading == "Samples":
                page.locator("img[alt='Image of sample 24']").wait_for(timeout=WAIT)
    address = f"{url}/layers?benchmark={BENCHMARK_BY_LAYER}&models={layered[0]}"
    with opened(chromium, address, "Layers") as page:
        page.get_by_text("Fell back to uniform (%)").wait_for(timeout=WAIT)
        assert page.locator(".js-plotly-plot .scatterlayer .point").count() > 4 * LAYERED_DEPTH


def test_jobs_and_adapters_in_every_state_are_shown(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    cache = tmp_path / "cache"
    write_jobs(cache)
    write_trainings(cache)
    with opened(chromium, f"{start_dashboard(cache).url}/run", "Run", scheme="dark") as page:
        page.get_by_text("a sentence that says what happened").wait_for(timeout=WAIT)
        page.get_by_text("Log", exact=True).last.click()
        page.get_by_text("Nothing has been written yet.").wait_for(timeout=WAIT)
        fits(page, "Run")
        page.set_viewport_size({"width": 1280, "height": HEIGHT})
        go_to(page, "LoRA-PID")
        page.get_by_text("64 of 128 samples").last.wait_for(timeout=WAIT)
        page.get_by_text("Test split, none of it was trained on").wait_for(timeout=WAIT)
        page.get_by_role("heading", name="What it learned from").wait_for(timeout=WAIT)
        bars_of(page)
        charts = page.locator(".js-plotly-plot").count()
        assert charts >= 4, "loss, atoms, accuracies, scores"
        page.get_by_text("The first gap samples by GapScore").click()
        page.locator("img[alt='Image of s0000']").wait_for(timeout=WAIT)
        fits(page, "LoRA-PID")


def write_jobs(cache: Path) -> None:
    """Write jobs in every state, one of them at work."""
    for limit, state in enumerate(("done", "failed", "cancelled", "lost", "running"), start=1):
        options = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=limit)
        key = jobs.open_or_create(cache, KIND, request_of(options), title_of(options)).job_key
        jobs.claim(cache, key, 2**22 + 1 if state == "lost" else None)
        if state != "lost":
            jobs.report(cache, key, limit * 10, 64, 8.0, "spectrum 1 of 5: synergy")
        if state in {"done", "failed", "cancelled"}:
            error = "a sentence that says what happened" if state == "failed" else None
            jobs.finish(cache, key, state, error, message=f"{state} " * 30)


def write_trainings(cache: Path) -> None:
    """Write finished adapters, and one whose training goes on."""
    build_adapters(cache, "uniform", "fp", "pid")
    options = FinetuneOptions(model=BASE, benchmark="digits_vqa", limit=32)
    asked = training_of(options)
    row = jobs.open_or_create(cache, options.kind, asked, training_title_of(options))
    jobs.claim(cache, row.job_key)
    jobs.report(cache, row.job_key, 64, 128, 8.0, "training: step 2 of 4, loss 1.000")
    write_adapter(
        cache,
        state="training",
        losses=2,
        options={**asked, "learning_rate": 0.003},
        created="2026-11-21T09:00:00",
    )
