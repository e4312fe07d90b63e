"""The Spectra page in a real Chromium: bars, address, states, narrow and wide."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache.ingest import ingest
from tests.browser.conftest import PICTURES, ROOT, Dashboard
from tests.pages.caches import build_cache, write_run
from tests.pages.spectra import record

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SUBSETS = ("synergy", "vision", "language", "redundant")


@contextmanager
def opened(
    browser: "Browser",
    url: str,
    *,
    heading: str = "Spectra",
    width: int = 1280,
    scheme: str = "light",
) -> "Iterator[Page]":
    """Open an address in a context of its own; it may reach nothing but this machine."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda request: foreign.append(request.url))
    page.goto(url)
    page.get_by_role("heading", name=heading).wait_for(timeout=60_000)
    yield page
    assert page.get_by_test_id("stException").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    local = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^(data|blob):")
    assert [address for address in foreign if not local.match(address)] == []
    context.close()


def bars_of(page: "Page", *, within: int = 60_000) -> int:
    """Count the bars drawn, once they are there."""
    page.locator(".js-plotly-plot .bars .point path").first.wait_for(
        state="attached", timeout=within
    )
    return page.locator(".js-plotly-plot .bars .point path").count()


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


def test_the_demo_is_drawn_as_bars(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/spectra") as page:
        assert bars_of(page) >= 4 * len(SUBSETS)
        labels = page.locator(".js-plotly-plot .ytick").all_text_contents()
        for subset in SUBSETS:
            assert subset in labels


def test_the_address_is_the_view(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/spectra") as page:
        bars_of(page)
        page.get_by_role("radio", name="shares").click()
        page.get_by_text("Share of total (%)").wait_for()
        page.get_by_role("radio", name="separate").click()
        page.wait_for_url(re.compile("bars=separate"))
        address = page.url
    assert "unit=shares" in address
    with opened(chromium, address) as page:
        page.get_by_text("Share of total (%)").wait_for(timeout=60_000)
        assert page.get_by_role("radio", name="separate").is_checked()


def test_the_numbers_can_be_downloaded(demo: Dashboard, chromium: "Browser") -> None:
    with opened(chromium, f"{demo.url}/spectra") as page:
        bars_of(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download with all settings").click()
        header, *rows = Path(download.value.path()).read_text().splitlines()
        assert {"synergy_bits", "gap_bits", "setting_tau", "run_key"} <= set(header.split(","))
        assert len(rows) >= len(SUBSETS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1600])
def test_it_fits_narrow_and_wide_screens(
    demo: Dashboard, chromium: "Browser", width: int, scheme: str, request: pytest.FixtureRequest
) -> None:
    with opened(chromium, f"{demo.url}/spectra", width=width, scheme=scheme) as page:
        assert bars_of(page) >= 4 * len(SUBSETS)
        if request.config.getoption("--save-pictures"):
            save_picture(page, f"spectra-{'wide' if width > 1000 else 'narrow'}-{scheme}")


def test_states_without_spectra_are_explained(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    cache = tmp_path / "cache"
    dashboard = start_dashboard(cache)
    with opened(chromium, f"{dashboard.url}/spectra") as page:
        page.get_by_text("model_runners demo load").wait_for()
    write_run(cache, "demo/oracle")
    ingest(cache)
    with opened(chromium, f"{dashboard.url}/spectra") as page:
        page.get_by_text("estimate --model demo/oracle").wait_for()
    build_cache(cache, [record()])
    with opened(chromium, f"{dashboard.url}/spectra") as page:
        assert bars_of(page) >= 1


def test_twenty_six_models_on_six_benchmarks_open(
    tmp_path: Path, start_dashboard: Callable[[Path], Dashboard], chromium: "Browser"
) -> None:
    models = [f"organisation/model-with-a-long-name-{size}B-Instruct" for size in range(26)]
    cache = build_cache(
        tmp_path / "cache",
        [
            record(subset, model=model, benchmark=f"benchmark_{number}")
            for model in models
            for number in range(6)
            for subset in (*SUBSETS, "all")
        ],
    )
    dashboard = start_dashboard(cache)
    # The address is from when Spectra was the first page.
    with opened(chromium, f"{dashboard.url}/?benchmark=benchmark_3", width=1600) as page:
        assert bars_of(page) > 0
        assert page.get_by_role("combobox", name="Benchmark").input_value() == "benchmark_3"


def save_picture(page: "Page", name: str) -> None:
    """Save the whole page, once nothing moves any more."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(1500)
    content = page.get_by_test_id("stMainBlockContainer")
    height = content.evaluate("element => element.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_timeout(1500)
    page.screenshot(path=PICTURES / f"{name}.png")
