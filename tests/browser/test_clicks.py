"""A click on a mark leads to what stands behind it, in a real Chromium."""

import re
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Dashboard
from tests.browser.looking import WAIT, centre, opened, title, wait_until_drawn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

BAR = ".bars .point path"
POINT = ".scatterlayer .point"
LAST = -1
ON_THE_PAGE = (
    ("compare", "difference_dots", POINT, LAST, "differing_order=All.atoms"),
    ("compare", "carrier_matrix_b", POINT, LAST, "carried=A.unique.language"),
    ("families", "family_scatter", POINT, 0, "hidden="),
)
"""Page, chart, kind of mark, which of them, and what the address says then. Medians come first."""


def click(page: "Page", key: str, mark: str, which: int = LAST) -> None:
    """Click a mark, once the charts stand still and it answers to the mouse."""
    marks = page.locator(f".st-key-{key} {mark}")
    marks.first.wait_for(state="attached", timeout=WAIT)
    wait_until_drawn(page)
    one = marks.nth(which)
    one.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    place = centre(one.bounding_box())
    page.mouse.move(*place)
    page.locator(".hoverlayer .hovertext").first.wait_for(timeout=WAIT)
    page.mouse.click(*place)


def test_a_mark_of_several_models_narrows_what_its_page_shows(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/compare", "Compare") as page:
        for place, key, mark, which, said in ON_THE_PAGE:
            page.goto(f"{demo.url}/{place}")
            click(page, key, mark, which)
            page.wait_for_url(re.compile(said), timeout=WAIT)


def test_bars_of_a_model_and_of_an_estimator_lead_to_their_samples(
    demo: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{demo.url}/compare", "Compare") as page:
        click(page, "pair_bars", BAR)
        title(page, "Samples").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile(r"model=demo%2F.*subset="), timeout=WAIT)
        page.goto(f"{demo.url}/lab?lab=cached+run&subset=vision")
        page.get_by_role("button", name=re.compile("^Compute")).first.click(timeout=WAIT)
        click(page, "estimator_bars", BAR)
        title(page, "Samples").wait_for(timeout=WAIT)
        page.wait_for_url(re.compile("subset=vision"), timeout=WAIT)
