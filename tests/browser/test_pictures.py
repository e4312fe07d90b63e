"""The pictures of the docs: every page on a wide light screen, some on a narrow dark one.

`pytest tests/browser/test_pictures.py --run-browser --save-pictures` writes them again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache.shipped import load_demo
from tests.browser.conftest import Dashboard, serving
from tests.browser.looking import WAIT, bars_of, opened, save_picture, wait_until_drawn
from tests.browser.test_every_page import write_trainings
from tests.pages.large_cache import SMALL, build_large_cache

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

WIDE, NARROW = (1440, "light"), (420, "dark")
HARDEST = "subset=synergy&model=demo/fusion-large"
ACROSS = "compare?a=demo/fusion-small&b=demo/fusion-large&c=demo/language-large&subset=synergy"
OF_THE_DEMO = {
    "overview": ("", "Overview"),
    "spectra": ("spectra", "Spectra"),
    "samples": (f"samples?{HARDEST}", "Samples"),
    "sample": (f"samples?{HARDEST}&sample=synergy-1033", "Samples"),
    "compare": ("compare?a=demo/fusion-small&b=demo/fusion-large&subset=all,+pooled", "Compare"),
    "across": (f"{ACROSS}&sample=synergy-1033", "Compare"),
    "training": ("training?subset=synergy", "Training"),
    "findings": ("findings?subset=synergy", "Findings"),
    "lab": ("lab?lab=predictive+case&problem=redundant&estimators=ipfp", "Estimator lab"),
    "benchmarks": ("benchmarks", "Benchmarks"),
    "run": ("run", "Run"),
}
OF_A_STUDY = {
    "families": ("families?subset=all,+pooled&benchmark=mmbench", "Families"),
    "layers": ("layers?benchmark=mmstar&models=llava-onevision-7b&models=qwen2-vl-2b", "Layers"),
}


@pytest.fixture(autouse=True, scope="module")  # before a demo is loaded for them
def _only_when_asked(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--save-pictures"):
        pytest.skip("needs --run-browser --save-pictures")


def take(chromium: "Browser", url: str, name: str, address: str, heading: str) -> None:
    for width, scheme in (WIDE, NARROW):
        place = f"{url}/{address}"
        with opened(chromium, place, heading, width=width, scheme=scheme) as page:
            wait_until_drawn(page)
            compute = page.get_by_role("button", name="Compute")
            if compute.count():
                compute.first.click()
                bars_of(page)
            save_picture(page, f"{name}-{'wide' if width > 1000 else 'narrow'}-{scheme}")


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard on the demo with its zoo, as `make app` loads it."""
    folder = tmp_path_factory.mktemp("whole")
    load_demo(folder / "cache")
    with serving(folder / "cache", folder / "log.txt") as dashboard:
        yield dashboard


@pytest.mark.parametrize("name", OF_THE_DEMO)
def test_a_page_with_the_demo(name: str, whole_demo: Dashboard, chromium: "Browser") -> None:
    take(chromium, whole_demo.url, name, *OF_THE_DEMO[name])


def test_pages_with_many_models(tmp_path: Path, chromium: "Browser") -> None:
    cache = build_large_cache(tmp_path / "cache", SMALL)
    with serving(cache, tmp_path / "log.txt") as dashboard:
        for name, (address, heading) in OF_A_STUDY.items():
            take(chromium, dashboard.url, name, address, heading)


def test_trained_adapters(tmp_path: Path, chromium: "Browser") -> None:
    write_trainings(tmp_path / "cache")
    with (
        serving(tmp_path / "cache", tmp_path / "log.txt") as dashboard,
        opened(chromium, f"{dashboard.url}/lora", "LoRA-PID", width=WIDE[0]) as page,
    ):
        page.get_by_role("heading", name="What it learned from").wait_for(timeout=WAIT)
        save_picture(page, "lora-wide-light")
