"""The Layers page in a real Chromium, on a real run through the logit lens."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import ROOT, Dashboard
from tests.browser.test_spectra import opened, save_picture
from tests.pages.caches import build_cache
from tests.pages.spectra import record

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

PLOTS = 6
"""Four atoms, accuracy, and the share that fell back."""
LAYERS = 4
"""Of the oracle."""


@pytest.fixture(scope="module")
def deep(
    tmp_path_factory: pytest.TempPathFactory, start_dashboard: Callable[[Path], Dashboard]
) -> Dashboard:
    """A dashboard on a short run of the oracle, made with the command that the page names."""
    cache = tmp_path_factory.mktemp("layers") / "cache"
    chosen = (
        "--model demo/oracle --benchmark digits_vqa --layers --limit 128 --split test --draws 1"
    )
    subprocess.run(
        [sys.executable, "-m", "model_runners", "profile", *chosen.split(), "--cache", str(cache)],
        cwd=ROOT,
        check=True,
    )
    return start_dashboard(cache)


def points_of(page: "Page") -> int:
    """Count the points drawn, once both figures are there."""
    for figure in (0, 1):
        page.locator(".js-plotly-plot").nth(figure).locator(".point").first.wait_for(
            state="attached", timeout=60_000
        )
    return page.locator(".js-plotly-plot .scatterlayer .point").count()


def test_a_link_to_it_opens_on_a_fresh_server_with_every_layer_drawn(
    deep: Dashboard, chromium: "Browser"
) -> None:
    with opened(chromium, f"{deep.url}/layers?subset=synergy", heading="Layers") as page:
        assert points_of(page) == PLOTS * (LAYERS + 1)
        page.get_by_text("Unique language").wait_for()
        page.get_by_text("Fell back to uniform (%)").wait_for()


@pytest.mark.slow  # links are followed in the journeys and by the tests of the pages, too
def test_the_address_is_the_view(deep: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{deep.url}/spectra") as page:
        page.get_by_role("link", name="Layers").click()
        points_of(page)
        page.get_by_role("radio", name="relative").click()
        page.wait_for_url(re.compile("depth=relative"))
        page.get_by_text("Relative depth (%)").first.wait_for()
        address = page.url
    with opened(chromium, address, heading="Layers") as page:
        page.get_by_text("Relative depth (%)").first.wait_for(timeout=60_000)
        assert page.get_by_role("radio", name="relative").is_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_it_fits_narrow_and_wide_screens(
    deep: Dashboard, chromium: "Browser", width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    address = f"{deep.url}/layers?subset=synergy"
    with opened(chromium, address, heading="Layers", width=width, scheme=scheme) as page:
        assert points_of(page) == PLOTS * (LAYERS + 1)
        if request.config.getoption("--save-pictures"):
            save_picture(page, f"layers-{'wide' if width > 1000 else 'narrow'}-{scheme}")


def test_a_model_without_layers_is_answered_with_the_command(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    dashboard = start_dashboard(build_cache(tmp_path / "cache", [record()]))
    with opened(chromium, f"{dashboard.url}/layers", heading="Layers") as page:
        page.get_by_text("profile --model demo/oracle --benchmark digits_vqa --layers").wait_for()
