"""How fast the dashboard is on a large cache, and whether its server's memory grows.

    python bench/bench_dashboard.py                     # tables
    python bench/bench_dashboard.py --json              # one JSON object
    python bench/bench_dashboard.py --cache DIR         # keep the cache there for the next time
    python bench/bench_dashboard.py --small --times 60  # a small cache and few interactions

The cache is made up (tests/pages/large_cache.py): 26 models on 6 benchmarks, 5 million predictions
of the last layer, 6 models by layer. A real Chromium goes round all pages, clicks and filters, 500
times by default. A time runs from the press of the mouse or key until nothing in the page has
changed for a while, without that while; `server_ms` is what the server's processor spent on it.
Memory is what the server holds after the first round, and after the last. The peer is Streamlit
itself with a page of one chart and one choice (peers/one_chart.py), in the same browser: what is
left when the dashboard costs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import show, where  # noqa: E402
from playwright.sync_api import TimeoutError, sync_playwright  # noqa: E402

from data_cache import queries  # noqa: E402
from tests.pages.large_cache import FULL, SMALL, build_large_cache  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

INTERACTIONS = 500
PATIENCE = 180_000
"""Milliseconds."""
NOTHING_AFTER = 30_000
"""Milliseconds without an end after which a press counts as one that nothing followed."""
A_MOMENT = 4_000
"""Milliseconds that something to press may take to appear."""
ATTEMPTS = 5
STARTS = 3
"""How often the server is started; the median counts."""
DASHBOARD = ROOT / "app.py"
PEER = ROOT / "bench" / "peers" / "one_chart.py"
PEER_INTERACTIONS = 20

# What is watched in the page: when something was pressed, and when anything changed last.
WATCH = """
(() => {
  const seen = (window.__seen = {pressed: 0, changed: 0});
  const press = () => { seen.pressed ||= performance.now(); };
  for (const kind of ["pointerup", "keydown"]) addEventListener(kind, press, true);
  new MutationObserver(() => { seen.changed = performance.now(); }).observe(
    document, {subtree: true, childList: true, attributes: true, characterData: true});
})()
"""
QUIET = """
(quiet) => {
  const seen = window.__seen, app = document.querySelector("[data-testid=stApp]");
  return seen.pressed > 0 && seen.changed > seen.pressed
    && app.getAttribute("data-test-script-state") === "notRunning"
    && !document.querySelector("[data-stale=true]")
    && performance.now() - seen.changed > quiet;
}
"""
QUIET_MILLISECONDS = 350

Row = dict[str, object]


class NotThereError(Exception):
    """The page has nothing of the kind to press."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that a person does."""

    name: str
    kind: str
    """`page` for a change of page, `click` for everything else."""
    press: Callable[[Page, int], Locator | str]
    """Returns what is to be clicked, or the key to be pressed, in a round."""


class Server:
    """The dashboard in a process of its own."""

    def __init__(self, cache: Path, log: Path, script: Path = DASHBOARD):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "streamlit", "run", str(script)),
                *("--server.port", str(port), "--server.fileWatcherType", "none"),
            ],
            cwd=ROOT,
            env=os.environ | {"PIDSCOPE_CACHE": str(cache)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> None:
        while self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                    if answer.read() == b"ok":
                        return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("the dashboard did not start")

    def memory(self) -> float:
        """Resident memory, MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def processor(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self._log.close()


@contextmanager
def serving(cache: Path, log: Path, script: Path = DASHBOARD) -> Iterator[Server]:
    server = Server(cache, log, script)
    try:
        yield server
    finally:
        server.stop()


def page_link(name: str) -> Step:
    def press(page: Page, _: int) -> Locator:
        return page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True)

    return Step(name=f"to {name}", kind="page", press=press)


def flip(where: str, key: str) -> Step:
    """Press one of the other choices of a segmented control."""

    def press(page: Page, number: int) -> Locator:
        there(page, f".st-key-{key} [role=radio]")
        others = page.locator(f".st-key-{key} [role=radio]:not([aria-checked=true])")
        return others.nth(number % max(others.count(), 1))

    return Step(name=f"{where}: {key}", kind="click", press=press)


def choose(where: str, key: str) -> Step:
    """Choose another option of a picker; the time is that after the option is pressed."""

    def press(page: Page, number: int) -> Locator:
        picker = there(page, f".st-key-{key} input").first
        options = page.locator("[role=option][aria-selected=false]")
        for _ in range(ATTEMPTS):  # what is drawn anew meanwhile closes the list
            picker.click(timeout=PATIENCE)
            with suppress(TimeoutError):
                options.first.wait_for(timeout=A_MOMENT)
                return options.nth(number % options.count())
        raise NotThereError(key)

    return Step(name=f"{where}: {key}", kind="click", press=press)


def button(where: str, key: str, name: str) -> Step:
    def press(page: Page, _: int) -> Locator:
        return there(page, f".st-key-{key} button").first

    return Step(name=f"{where}: {name}", kind="click", press=press)


def key(where: str, pressed: str, name: str) -> Step:
    return Step(name=f"{where}: {name}", kind="click", press=lambda page, _: pressed)


def there(page: Page, selector: str) -> Locator:
    found = page.locator(selector)
    try:  # pickers are drawn a little later than their places
        found.first.wait_for(timeout=A_MOMENT)
    except TimeoutError as error:
        raise NotThereError(selector) from error
    return found


ROUND = (
    page_link("Spectra"),
    flip("Spectra", "unit"),
    flip("Spectra", "bars"),
    choose("Spectra", "order"),
    choose("Spectra", "benchmark"),
    page_link("Samples"),
    flip("Samples", "answers"),
    choose("Samples", "sort"),
    flip("Samples", "direction"),
    choose("Samples", "subset"),
    button("Samples", "open_1", "open the first"),
    key("Samples", "ArrowRight", "next sample"),
    key("Samples", "ArrowRight", "next sample"),
    button("Samples", "close_sample", "all samples"),
    flip("Samples", "view"),
    choose("Samples", "model"),
    page_link("Families"),
    choose("Families", "up"),
    choose("Families", "across"),
    flip("Families", "show"),
    page_link("Compare"),
    choose("Compare", "subset"),
    choose("Compare", "differing"),
    choose("Compare", "differing_order"),
    page_link("Layers"),
    button("Layers", "models_with_layers", "show those with layers"),
    flip("Layers", "depth"),
    page_link("Overview"),
    page_link("Run"),
    page_link("LoRA-PID"),
    page_link("Benchmarks"),
    page_link("Estimator lab"),
)


class Watch:
    """Takes the steps and notes what each took."""

    def __init__(self, page: Page, server: Server):
        self.page, self.server = page, server
        self.taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self.missing: dict[str, int] = defaultdict(int)
        self.endless: dict[str, int] = defaultdict(int)
        self.kinds: dict[str, str] = {}

    def take(self, step: Step, number: int) -> bool:
        """Take a step; False where the page has nothing to press."""
        self.kinds[step.name] = step.kind
        try:
            target = step.press(self.page, number)
        except NotThereError:
            self.missing[step.name] += 1
            return False
        if not isinstance(target, str):
            target.scroll_into_view_if_needed(timeout=PATIENCE)
        self.page.evaluate("window.__seen.pressed = 0")
        before = self.server.processor()
        if isinstance(target, str):
            self.page.keyboard.press(target)
        else:
            target.click(timeout=PATIENCE)
        try:
            self.page.wait_for_function(
                QUIET, arg=QUIET_MILLISECONDS, timeout=NOTHING_AFTER, polling=50
            )
        except TimeoutError:
            state = self.page.evaluate("window.__seen")
            print(f"{step.name}, round {number + 1}: no end, {state}", file=sys.stderr)
            self.endless[step.name] += 1
            return False
        wall = self.page.evaluate("window.__seen.changed - window.__seen.pressed")
        spent = 1000 * (self.server.processor() - before)
        self.taken[step.name].append((wall, spent))
        errors = self.page.get_by_test_id("stException").count()
        assert not errors, f"{step.name}: the page shows an exception"
        return True

    def rows(self) -> list[Row]:
        return [
            {"what": name, "kind": self.kinds[name], "times": len(taken), **summary(taken)}
            for name, taken in self.taken.items()
        ]

    def of_kind(self, kind: str) -> dict[str, float]:
        pairs = [
            one for name, taken in self.taken.items() if self.kinds[name] == kind for one in taken
        ]
        return summary(pairs) | {"times": len(pairs)}


def summary(pairs: list[tuple[float, float]]) -> dict[str, float]:
    walls, spent = sorted(pair[0] for pair in pairs), [pair[1] for pair in pairs]
    return {
        "median_ms": round(median(walls)),
        "p95_ms": round(walls[int(0.95 * (len(walls) - 1))]),
        "server_ms": round(median(spent)),
    }


def first_chart(page: Page, cache: Path, log: Path, script: Path = DASHBOARD) -> Row:
    """Time from the start of the server's process to the first chart in the browser."""
    began = time.perf_counter()
    with serving(cache, log, script) as server:
        server.wait()
        ready = time.perf_counter() - began
        page.goto(server.url)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
        drawn = time.perf_counter() - began
        return {
            "of": "PIDscope" if script == DASHBOARD else "peer",
            "server answers s": round(ready, 2),
            "first chart s": round(drawn, 2),
            "server's processor s": round(server.processor(), 2),
            "memory MB": round(server.memory()),
        }


def go_round(page: Page, cache: Path, log: Path, times: int) -> dict[str, object]:
    """Interact so often, and return what it took and what the server holds."""
    page.add_init_script(WATCH)
    with serving(cache, log) as server:
        server.wait()
        page.goto(server.url)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1000)
        started = server.memory()
        watch = Watch(page, server)
        memory: list[float] = []
        done = number = 0
        while done < times:
            for step in ROUND:
                done += watch.take(step, number)
            number += 1
            memory.append(round(server.memory(), 1))
            so_far = ", ".join(
                f"{kind} {watch.of_kind(kind)['median_ms']:.0f} ms" for kind in ("page", "click")
            )
            print(f"{done} interactions, {memory[-1]:.0f} MB, {so_far}", file=sys.stderr)
        return {
            "interactions": done,
            "page change": watch.of_kind("page"),
            "filter or click": watch.of_kind("click"),
            "memory MB": {
                "first chart": round(started, 1),
                "after each round": memory,
                "growth after the first round": round(memory[-1] - memory[0], 1),
            },
            "not there": dict(watch.missing),
            "no end": dict(watch.endless),
            "steps": watch.rows(),
        }


def go_round_peer(page: Page, cache: Path, log: Path) -> dict[str, float]:
    """Press the one choice of the peer's page again and again."""
    page.add_init_script(WATCH)
    with serving(cache, log, PEER) as server:
        server.wait()
        page.goto(server.url)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=PATIENCE)
        page.wait_for_timeout(1000)
        watch = Watch(page, server)
        for number in range(PEER_INTERACTIONS):
            watch.take(flip("peer", "unit"), number)
        return watch.of_kind("click")


def measure(cache: Path, logs: Path, times: int) -> dict[str, object]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        starts: list[Row] = []
        for number in range(STARTS):
            for script in (DASHBOARD, PEER):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                starts.append(first_chart(page, cache, logs / f"start-{number}.txt", script))
                page.close()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        peer = go_round_peer(page, cache, logs / "peer.txt")
        page.close()
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        found = go_round(page, cache, logs / "round.txt", times)
        browser.close()
    return {"starts": starts, "peer: click": peer, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--small", action="store_true", help="take the small cache")
    parser.add_argument("--times", type=int, default=INTERACTIONS, help="interactions, at least")
    parser.add_argument("--cache", type=Path, help="keep the cache here, and take that which is")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder) / "cache"
        made = None
        if queries.state(cache) != "ready":
            began, spent = time.perf_counter(), time.process_time()
            build_large_cache(cache, SMALL if options.small else FULL)
            made = {
                "seconds": round(time.perf_counter() - began, 1),
                "processor_seconds": round(time.process_time() - spent, 1),
            }
        load = os.getloadavg()[0]
        measured = measure(cache, Path(folder), options.times)
    found = {**where(), "load before": load, "cache made": made, **measured}
    if options.json:
        print(json.dumps(found, indent=1))
        return
    show("Starts", measured["starts"])  # type: ignore[arg-type]  # JSON
    show("Steps", measured["steps"])  # type: ignore[arg-type]  # JSON
    print({name: value for name, value in found.items() if name not in ("starts", "steps")})


if __name__ == "__main__":
    main()
