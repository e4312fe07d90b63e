"""Compare two families in a real Chromium: from a point to samples, from bars to a disagreement."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import queries
from tests.browser.conftest import ROOT, Dashboard
from tests.browser.test_samples import centre, wait_for_bars
from tests.browser.test_spectra import bars_of, opened, save_picture
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import small_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WAIT = 60_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, loaded as `make app` loads it."""
    cache = tmp_path_factory.mktemp("demo") / "cache"
    subprocess.run(
        [sys.executable, "-m", "model_runners", "demo", "load", "--cache", str(cache)],
        cwd=ROOT,
        check=True,
    )
    return cache


@pytest.fixture(scope="module")
def demo(demo_cache: Path, start_dashboard: Callable[[Path], Dashboard]) -> Dashboard:
    """A dashboard on the demo."""
    return start_dashboard(demo_cache)


def points_of(page: "Page") -> int:
    """Count the points, medians and all, once they are drawn."""
    points = page.locator(".js-plotly-plot .scatterlayer .point")
    points.first.wait_for(state="attached", timeout=WAIT)
    page.wait_for_timeout(1000)
    return points.count()


def click_last_point(page: "Page") -> None:
    """Click the point of a model; medians are drawn first, and so below."""
    points = page.locator(".js-plotly-plot .scatterlayer .point")
    page.mouse.click(*centre(points.last.bounding_box()))


def test_two_families_are_compared_from_a_point_to_a_sample_on_which_models_disagree(
    demo: Dashboard, demo_cache: Path, chromium: "Browser"
) -> None:
    models = {run.model for run in queries.runs(demo_cache)}
    with opened(chromium, f"{demo.url}/spectra") as page:
        page.get_by_role("link", name="Families").click()
        page.get_by_role("heading", name="Families").wait_for(timeout=WAIT)
        assert points_of(page) >= len(models)
        page.get_by_text("Unique language (bits)").first.wait_for()
        click_last_point(page)
        page.get_by_role("heading", name="Samples").wait_for(timeout=WAIT)
        page.get_by_text(re.compile(r"^1 to 24 of")).wait_for(timeout=WAIT)
        assert page.get_by_role("combobox", name="Model", exact=True).input_value() in models

        page.get_by_role("link", name="Compare").click()
        page.get_by_role("heading", name="Compare").wait_for(timeout=WAIT)
        assert bars_of(page) == 2 * 5
        page.get_by_text("B minus A (bits)").wait_for()
        choose_subset(page, "all, pooled")
        page.get_by_role("button", name="Open for B").first.wait_for(timeout=WAIT)
        wanted = page.get_by_role("combobox", name="B", exact=True).input_value()
        page.get_by_role("button", name="Open for B").first.click()
        page.get_by_role("heading", name="Samples").wait_for(timeout=WAIT)
        page.get_by_role("button", name="All samples").wait_for(timeout=WAIT)
        wait_for_bars(page)
        assert page.get_by_role("combobox", name="Model", exact=True).input_value() == wanted
        page.wait_for_url(re.compile("sample="))
        address = page.url
    with opened(chromium, address, heading="Samples") as page:
        page.get_by_role("button", name="All samples").wait_for(timeout=WAIT)
        assert page.get_by_role("combobox", name="Model", exact=True).input_value() == wanted


def choose_subset(page: "Page", subset: str) -> None:
    """Choose a subset as a person does."""
    page.get_by_role("combobox", name="Subset").click()
    page.get_by_role("option", name=subset).click()
    page.wait_for_url(re.compile("subset="))
    page.get_by_text(re.compile(r"Both models answered the same [\d,]+ samples")).wait_for(
        timeout=WAIT
    )


@pytest.mark.slow  # links are followed in the journeys and by the tests of the pages, too
def test_the_address_of_a_comparison_is_the_view_and_swapping_changes_both(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    benchmark = small_benchmark(60)
    for model, answers in (("demo/a", right), ("demo/b", wrong), ("demo/c", right)):
        estimated(tmp_path / "cache", benchmark, model=model, answers=answers)
    dashboard = start_dashboard(tmp_path / "cache")
    first = f"{dashboard.url}/compare?a=demo/c&b=demo/b&differing=only+A+right&differing_page=2"
    with opened(chromium, first, heading="Compare") as page:
        page.get_by_text("11 to 20 of 60 samples").wait_for(timeout=WAIT)
        page.get_by_role("button", name="Swap").click()
        page.get_by_text("No sample is of this kind").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("a=demo%2Fb|a=demo/b"))
        address = page.url
    with opened(chromium, address, heading="Compare") as page:
        page.get_by_text("No sample is of this kind").wait_for(timeout=WAIT)
        assert page.get_by_role("combobox", name="A", exact=True).input_value() == "demo/b"
        assert page.get_by_role("combobox", name="B", exact=True).input_value() == "demo/c"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_both_pages_fit_narrow_and_wide_screens(
    demo: Dashboard, chromium: "Browser", width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    save = request.config.getoption("--save-pictures")
    size = "wide" if width > 1000 else "narrow"
    for path, heading in (("families", "Families"), ("compare", "Compare")):
        url = f"{demo.url}/{path}?subset=all,+pooled"
        with opened(chromium, url, heading=heading, width=width, scheme=scheme) as page:
            assert points_of(page) > 0
            if save:
                save_picture(page, f"{path}-{size}-{scheme}")
