"""A dashboard in a process of its own, and the Chromium of the machine to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data_cache.shipped import load_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A running dashboard."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(cache: Path, log: Path) -> Iterator[Dashboard]:
    """Run a dashboard on a cache; it may not have logged an error when it is stopped."""
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", "app.py"),
                *("--server.port", str(port), "--server.fileWatcherType", "none"),
            ],
            cwd=ROOT,
            env=os.environ | {"PIDSCOPE_CACHE": str(cache)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        dashboard = Dashboard(url=f"http://127.0.0.1:{port}", log=log, process=process)
        _wait_until_it_answers(dashboard)
        yield dashboard
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert not (errors := tracebacks(log.read_text())), "\n".join(errors)


def _wait_until_it_answers(dashboard: Dashboard) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end and dashboard.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{dashboard.url}/_stcore/health", timeout=5) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            time.sleep(0.2)
    said = dashboard.log.read_text()
    pytest.fail(f"the dashboard did not start within {STARTS_WITHIN} s:\n{said}")


@pytest.fixture
def start_dashboard(tmp_path: Path) -> Iterator[Callable[[Path], Dashboard]]:
    """Start dashboards; they are stopped when the test ends."""
    with ExitStack() as running:
        numbers = count()
        yield lambda cache: running.enter_context(
            serving(cache, tmp_path / f"dashboard-{next(numbers)}.txt")
        )


@pytest.fixture(scope="package")
def demo_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo, loaded as `make app` loads it; nothing may be written into it."""
    cache = tmp_path_factory.mktemp("demo") / "cache"
    load_demo(cache, zoo=False)
    return cache


@pytest.fixture(scope="package")
def demo(demo_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard on the demo, the same one for all tests that only look."""
    with serving(demo_cache, tmp_path_factory.mktemp("dashboard") / "log.txt") as dashboard:
        yield dashboard


def tracebacks(log: str) -> list[str]:
    """Return the errors of a log, but those of a page that was left before it had connected."""
    _, *blocks = log.split("Traceback (most recent call last):\n")
    # An error that another one led to is logged first, without a line of its own for the reason.
    last = [block for block in blocks if "During handling of the above exception" not in block]
    return [block for block in last if "WebSocketDisconnected" not in block]


@pytest.fixture(scope="package")
def chromium() -> Iterator["Browser"]:
    """The machine's Chromium; PIDscope downloads no browser."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium on this machine; on Debian: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()
