"""From a bar to the hardest sample behind it, and the same view again at the same address."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, centre, opened, title
from tests.pages.sample_caches import build_samples, hostile_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def click_bar(page: "Page", subset: str) -> None:
    """Click the longest bar in the row of a subset, or in the first row under its title."""
    chart = page.locator(".js-plotly-plot").first
    bars = chart.locator(".bars .point path")
    bars.first.wait_for(state="attached", timeout=WAIT)
    page.wait_for_timeout(1000)
    label = centre(chart.locator(".ytick", has_text=subset).first.bounding_box())[1]
    boxes = [(box, bar) for bar in bars.all() if (box := bar.bounding_box())]
    below = [(box, bar) for box, bar in boxes if box["y"] + box["height"] > label]
    row = min(box["y"] for box, _ in below)
    _, longest = max(
        ((box, bar) for box, bar in below if box["y"] == row), key=lambda pair: pair[0]["width"]
    )
    longest.scroll_into_view_if_needed()  # the demo has more rows than a screen
    page.wait_for_timeout(300)
    page.mouse.click(*centre(longest.bounding_box()))


def open_sample(page: "Page", place: int = 1) -> None:
    """Open the sample at a place of the list, which is on the page that is shown.

    It is asked for by its place: on a page that has just been loaded, the first button drawn need
    not be that of the first sample. Cells that arrive while the script of buttons is on its way
    are drawn after those that come later. A button that is drawn anew under the mouse loses its
    click; then a person clicks again.
    """
    opened_one = page.get_by_role("button", name="All samples")
    for _ in range(12):
        button = page.locator(f".st-key-open_{place} button")
        if not opened_one.count() and button.count():
            button.click(timeout=WAIT)
        for _ in range(100):
            if opened_one.count():
                return
            page.wait_for_timeout(WAIT / 1200)
    raise AssertionError(f"sample {place} did not open")


def wait_for_bars(page: "Page") -> None:
    """Wait until a sample is drawn; there are no buttons to answer to a key before that."""
    page.locator(".js-plotly-plot .bars .point path").first.wait_for(state="attached", timeout=WAIT)


def sentence_of(page: "Page") -> str:
    return page.get_by_text(
        re.compile("the right answer|this wrong answer|the answer open")
    ).first.inner_text()


def test_every_bar_leads_to_its_own_samples_and_an_address_back_to_the_hardest_of_them(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/spectra", "Spectra") as page:
        click_bar(page, "vision")
        page.wait_for_url(re.compile("subset=vision"), timeout=WAIT)
        page.get_by_text(re.compile(r"^1 to 24 of")).wait_for(timeout=WAIT)
        page.get_by_role("link", name="Spectra").click()
        page.get_by_role("heading", name="Spectra").wait_for(timeout=WAIT)
        click_bar(page, "synergy")
        title(page, "Samples").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("subset=synergy"), timeout=WAIT)
        open_sample(page)
        page.wait_for_url(re.compile("sample=synergy-"), timeout=WAIT)
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        wait_for_bars(page)
        address, sentence = page.url, sentence_of(page)
    with opened(chromium, address, "Samples") as page:
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        assert sentence_of(page) == sentence
        page.wait_for_url(address)


def test_keys_step_and_lead_back_and_a_row_of_the_table_opens_its_sample(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/samples?page=2", "Samples") as page:
        page.get_by_text(re.compile(r"^25 to 48 of")).wait_for(timeout=WAIT)
        open_sample(page, 25)
        wait_for_bars(page)
        for key, number in (("ArrowRight", 26), ("ArrowRight", 27), ("ArrowLeft", 26)):
            page.keyboard.press(key)
            page.get_by_text(re.compile(rf"^{number} of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        page.keyboard.press("Escape")
        page.get_by_text(re.compile(r"^25 to 48 of")).wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("page=2"))
        page.goto(f"{demo.url}/samples?view=table")
        table = page.get_by_test_id("stDataFrame")
        # A table is a picture, and has no elements to click or to wait for: its second row.
        for _ in range(2):
            table.wait_for(timeout=WAIT)
            page.wait_for_timeout(1500)
            table.click(position={"x": 200, "y": 35 + 35 + 17})
            page.get_by_text(re.compile(r"^2 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
            wait_for_bars(page)
            page.keyboard.press("Escape")


def test_text_of_a_benchmark_fetches_nothing(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    url = start_dashboard(build_samples(tmp_path / "cache", hostile_benchmark())).url
    with opened(chromium, f"{url}/samples", "Samples") as page:
        page.wait_for_timeout(1000)
        for query in ("sample=s0000", "view=table", "sample=%3Cimg%20src%3Dhttp://x.org/y%3E"):
            page.goto(f"{url}/samples?{query}")
            title(page, "Samples").wait_for(timeout=WAIT)
            page.wait_for_timeout(1000)
