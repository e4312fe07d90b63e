"""A dashboard in a process of its own, and the Chromium of the machine to look at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
STARTS_WITHIN = 60
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """A running dashboard."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"


COVERED = frozenset({(420, "light"), (1600, "dark"), (1600, "light")})
"""Screens that others cover: the narrow dark one, and the wide light one of the journeys."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave screens out that others cover, where nobody asked for all of them."""
    if config.getoption("--run-slow") or config.getoption("--save-pictures"):
        return
    for item in items:
        chosen = getattr(item, "callspec", None)
        screen = (chosen.params.get("width"), chosen.params.get("scheme")) if chosen else None
        if screen in COVERED:
            item.add_marker(pytest.mark.skip(reason="needs --run-slow or --save-pictures"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def start_dashboard(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Path], Dashboard]]:
    """Start dashboards; they are stopped at the end, and none may have logged an error."""
    running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def start(cache: Path) -> Dashboard:
        port = free_port()
        log = tmp_path_factory.mktemp("dashboard") / "log.txt"
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
        running.append((process, log))
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < end and process.poll() is None:
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5) as answer:
                    if answer.read() == b"ok":
                        return Dashboard(url=url, log=log, process=process)
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"the dashboard did not start within {STARTS_WITHIN} s:\n{log.read_text()}")

    yield start
    for process, _ in running:
        process.terminate()
        process.wait(timeout=30)
    for _, log in running:
        assert not (errors := tracebacks(log.read_text())), "\n".join(errors)


def tracebacks(log: str) -> list[str]:
    """Return the errors of a log, but those of a page that was left before it had connected."""
    _, *blocks = log.split("Traceback (most recent call last):\n")
    # An error that another one led to is logged first, without a line of its own for the reason.
    last = [block for block in blocks if "During handling of the above exception" not in block]
    return [block for block in last if "WebSocketDisconnected" not in block]


@pytest.fixture(scope="module")
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
