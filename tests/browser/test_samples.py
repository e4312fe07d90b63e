"""From a bar to the hardest sample behind it, and the same view again at the same address."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import PICTURES, ROOT, Dashboard
from tests.pages.sample_caches import build_samples, hostile_benchmark

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WAIT = 60_000
"""Milliseconds."""


@contextmanager
def opened(
    browser: "Browser", url: str, heading: str, *, width: int = 1280, scheme: str = "light"
) -> "Iterator[Page]":
    """Open an address in a context of its own; it may reach nothing but this machine."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.get_by_role("heading", name=heading).wait_for(timeout=WAIT)
    yield page
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    local = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^(data|blob):")
    assert [address for address in asked if not local.match(address)] == []
    context.close()


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[[Path], Dashboard]
) -> Dashboard:
    """A dashboard on the demo, loaded as `make app` loads it."""
    cache = tmp_path_factory.mktemp("demo") / "cache"
    subprocess.run(
        [sys.executable, "-m", "model_runners", "demo", "load", "--cache", str(cache)],
        cwd=ROOT,
        check=True,
    )
    return start_dashboard(cache)


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


def centre(box) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def open_sample(page: "Page", place: int = 1) -> None:
    """Open the sample at a place of the list, which is on the page that is shown.

    It is asked for by its place: on a page that has just been loaded, the first button drawn need
    not be that of the first sample. Cells that arrive while the script of buttons is on its way
    are drawn after those that come later.
    """
    page.locator(f".st-key-open_{place} button").click(timeout=WAIT)
    page.get_by_role("button", name="All samples").wait_for(timeout=WAIT)


def wait_for_bars(page: "Page") -> None:
    """Wait until a sample is drawn; there are no buttons to answer to a key before that."""
    page.locator(".js-plotly-plot .bars .point path").first.wait_for(state="attached", timeout=WAIT)


def sentence_of(page: "Page") -> str:
    return page.get_by_text(
        re.compile("the right answer|this wrong answer|the answer open")
    ).first.inner_text()


def test_a_bar_leads_to_its_hardest_sample_and_the_address_back_to_it(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/spectra", "Spectra") as page:
        click_bar(page, "synergy")
        page.get_by_role("heading", name="Samples").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("subset=synergy"))
        open_sample(page)
        page.wait_for_url(re.compile("sample=synergy-"))
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        wait_for_bars(page)
        address, sentence = page.url, sentence_of(page)
    with opened(chromium, address, "Samples") as page:
        page.get_by_text(re.compile(r"^1 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
        assert sentence_of(page) == sentence
        page.wait_for_url(address)


def test_every_bar_leads_to_its_own_samples(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/spectra", "Spectra") as page:
        for subset in ("vision", "language"):
            click_bar(page, subset)
            page.wait_for_url(re.compile(f"subset={subset}"))
            page.get_by_text(re.compile(r"^1 to 24 of")).wait_for(timeout=WAIT)
            page.get_by_role("link", name="Spectra").click()
            page.get_by_role("heading", name="Spectra").wait_for(timeout=WAIT)


def test_arrow_keys_step_and_escape_goes_back(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/samples?page=2", "Samples") as page:
        page.get_by_text(re.compile(r"^25 to 48 of")).wait_for(timeout=WAIT)
        open_sample(page, 25)
        wait_for_bars(page)
        for key, number in (("ArrowRight", 26), ("ArrowRight", 27), ("ArrowLeft", 26)):
            page.keyboard.press(key)
            page.get_by_text(re.compile(rf"^{number} of [\d,]+ by GapScore")).wait_for()
        page.keyboard.press("Escape")
        page.get_by_text(re.compile(r"^25 to 48 of")).wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("page=2"))


def test_a_row_of_the_table_opens_its_sample(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/samples?view=table", "Samples") as page:
        table = page.get_by_test_id("stDataFrame")
        # A table is a picture, and has no elements to click or to wait for: its second row.
        for _ in range(2):
            table.wait_for(timeout=WAIT)
            page.wait_for_timeout(1500)
            table.click(position={"x": 200, "y": 35 + 35 + 17})
            page.get_by_text(re.compile(r"^2 of [\d,]+ by GapScore")).wait_for(timeout=WAIT)
            wait_for_bars(page)
            page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_list_and_sample_fit_narrow_and_wide_screens(
    demo: Dashboard, chromium: "Browser", width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    save = request.config.getoption("--save-pictures")
    size = "wide" if width > 1000 else "narrow"
    with opened(
        chromium, f"{demo.url}/samples?subset=synergy", "Samples", width=width, scheme=scheme
    ) as page:
        page.get_by_text(re.compile(r"^1 to 24 of")).wait_for(timeout=WAIT)
        page.locator("img[alt='Image of sample 24']").wait_for(timeout=WAIT)
        assert page.locator("img[alt^='Image of sample']").count() == 24
        if save:
            save_picture(page, f"samples-{size}-{scheme}")
        open_sample(page)
        wait_for_bars(page)
        if save:
            save_picture(page, f"sample-{size}-{scheme}")


def test_text_of_a_benchmark_fetches_nothing(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    dashboard = start_dashboard(build_samples(tmp_path / "cache", hostile_benchmark()))
    for query in ("", "?sample=s0000", "?view=table", "?sample=%3Cimg%20src%3Dhttp://x.org/y%3E"):
        with opened(chromium, f"{dashboard.url}/samples{query}", "Samples") as page:
            page.wait_for_timeout(1500)


def save_picture(page: "Page", name: str) -> None:
    """Save the page as it is, once it stands still."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled")
