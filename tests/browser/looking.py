"""How tests look at a page: in a context of its own, whose console and requests are watched."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

PICTURES = Path(__file__).parents[2] / "docs" / "images"
WAIT = 120_000
"""Milliseconds after which a test gives up; nothing is measured by it."""
LOCAL = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^(data|blob):")
UNDER_A_PAGE = re.compile(r"^https?://[^/]+/[^/]+/_stcore/(health|host-config)$")
MEDIA = re.compile(
    r"^https?://[^/]+/media/|^Client Error: Image source error - https?://[^/]+/media/"
)
"""A picture of a page that was left before it came: the server has forgotten it by then."""
BROKEN = "() => [...document.images].filter(one => one.complete && !one.naturalWidth).length"
HEIGHT = 900
DRAWN = """() => {
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
    const drawn = document.querySelector('[data-test-script-state=notRunning]')
        && !document.querySelector('[data-testid=stSkeleton]')
        && charts.every(chart => chart.querySelector('.main-svg'));
    const now = performance.now();
    window.drawnSince = drawn ? window.drawnSince ?? now : undefined;
    return drawn && now - window.drawnSince > 300;
}"""
"""A script may be followed by another at once, and a chart by its own script: true 0.3 s later."""


@contextmanager
def opened(
    browser: "Browser",
    url: str,
    heading: str,
    *,
    width: int = 1280,
    scheme: str = "light",
) -> "Iterator[Page]":
    """Open an address in a context of its own; it may reach nothing but this machine.

    At the end nothing may have been raised on the page or written to its console as an error, and
    the page may not be wider than the screen.
    """
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: said.append(line.text) if is_error(line) else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url, timeout=WAIT)
    title(page, heading).wait_for(timeout=WAIT)
    yield page
    raised = page.get_by_test_id("stException").all_inner_texts()
    taken, width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    broken = page.evaluate(BROKEN)
    foreign = [address for address in asked if not LOCAL.match(address)]
    # pytest says more about a comparison only in files of tests.
    assert not raised, raised[0]
    assert taken <= width, f"{taken} wide on a screen of {width}"
    assert not foreign, f"asked for: {foreign}"
    assert not broken, f"{broken} pictures on the page did not come"
    assert not said, f"written to the console: {said}"
    context.close()


def is_error(line: "ConsoleMessage") -> bool:
    """Whether a line of the console says that something went wrong.

    On an address with a path Streamlit looks for its server under that path first, and Chromium
    writes down that there is none. Pictures that a left page asked for are held to what the page at
    the end shows.
    """
    expected = UNDER_A_PAGE.search(line.location["url"]) or MEDIA.search(line.location["url"])
    return line.type == "error" and not expected and not MEDIA.search(line.text)


def title(page: "Page", heading: str) -> "Locator":
    """The title of a page."""
    return page.get_by_role("heading", name=heading, exact=True, level=1)


def go_to(page: "Page", heading: str) -> None:
    """Go to a page by its link in the sidebar."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=heading, exact=True).click()
    title(page, heading).wait_for(timeout=WAIT)


def wait_until_drawn(page: "Page") -> None:
    """Wait until the script has ended and every chart of the page is there."""
    page.evaluate("delete window.drawnSince")
    page.wait_for_function(DRAWN, timeout=WAIT, polling=50)


def bars_of(page: "Page", *, within: int = WAIT) -> int:
    """Count the bars drawn, once they are there."""
    bars = page.locator(".js-plotly-plot .bars .point path")
    bars.first.wait_for(state="attached", timeout=within)
    return bars.count()


def centre(box) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def save_picture(page: "Page", name: str) -> None:
    """Save what the screen shows, once nothing moves any more; for pictures of the docs."""
    wait_until_drawn(page)
    page.wait_for_timeout(1500)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", animations="disabled", timeout=WAIT)
