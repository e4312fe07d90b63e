"""From families to a sample, and from two models to one that they answer differently."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache import queries
from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, bars_of, centre, opened, title
from tests.browser.test_samples import open_sample, sentence_of, wait_for_bars
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import small_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


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


def test_a_point_leads_to_its_hardest_sample_and_the_link_to_it_shows_the_same(
    demo: Dashboard, demo_cache: Path, chromium: "Browser"
) -> None:
    models = {run.model for run in queries.runs(demo_cache)}
    with opened(chromium, f"{demo.url}/families", "Families") as page:
        assert points_of(page) >= len(models)
        page.get_by_text("Unique language (bits)").first.wait_for()
        click_last_point(page)
        title(page, "Samples").wait_for(timeout=WAIT)
        page.get_by_text(re.compile(r"^1 to 24 of")).wait_for(timeout=WAIT)
        model = model_of(page)
        assert model in models
        open_sample(page)
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        wait_for_bars(page)
        page.wait_for_url(re.compile("sample="))
        address, sentence = page.url, sentence_of(page)
    with opened(chromium, address, "Samples") as page:
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        assert (model_of(page), sentence_of(page)) == (model, sentence)


def test_two_models_lead_to_a_sample_that_they_answer_differently_and_it_is_exported(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/compare", "Compare") as page:
        page.get_by_text("B minus A (bits)").wait_for(timeout=WAIT)
        assert bars_of(page) >= 2 * 5
        choose_subset(page, "all, pooled")
        wanted = page.get_by_role("combobox", name="B", exact=True).input_value()
        page.locator(".st-key-open_b_1 button").click(timeout=WAIT)
        title(page, "Samples").wait_for(timeout=WAIT)
        page.get_by_role("button", name="All samples").wait_for(timeout=WAIT)
        wait_for_bars(page)
        assert model_of(page) == wanted
        page.wait_for_url(re.compile("sample="))
        sentence = sentence_of(page)
        page.get_by_text("Export", exact=True).click()
        report = page.get_by_role("button", name="Report of this page")
        report.wait_for(timeout=WAIT)
        with page.expect_download() as download:
            report.click()
        written = Path(download.value.path()).read_text()
        assert wanted in written
        assert sentence.split(":")[0] in written


def model_of(page: "Page") -> str:
    return page.get_by_role("combobox", name="Model", exact=True).input_value()


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
    with opened(chromium, first, "Compare") as page:
        page.get_by_text("11 to 20 of 60 samples").wait_for(timeout=WAIT)
        page.get_by_role("button", name="Swap").click()
        page.get_by_text("No sample is of this kind").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("a=demo%2Fb|a=demo/b"))
        address = page.url
    with opened(chromium, address, "Compare") as page:
        page.get_by_text("No sample is of this kind").wait_for(timeout=WAIT)
        assert page.get_by_role("combobox", name="A", exact=True).input_value() == "demo/b"
        assert page.get_by_role("combobox", name="B", exact=True).input_value() == "demo/c"
