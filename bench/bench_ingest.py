"""How long the pages' readings take while a run writes, and how long the run waits for readers.

    python bench/bench_ingest.py                   # 5 million predictions, 60 s of each pace
    python bench/bench_ingest.py --small --seconds 10 --json

The cache is made up (tests/pages/large_cache.py). Two processes read what pages read, over and
over, with a tenth of a second between: what is there, runs, coverage, spectra, a page of samples.
First nobody writes; then another process ingests a chunk of 64 samples (896 predictions) once a
second, as runs do that are faster than any of a large model; then one after the other, as nothing
does but the `ingest` command. A time includes the opening of the file and the waiting for whoever
has it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import where  # noqa: E402

from data_cache import estimates, queries  # noqa: E402
from data_cache.coverage import coverage  # noqa: E402
from data_cache.errors import CacheBusy  # noqa: E402
from data_cache.ingest import ingest  # noqa: E402
from data_cache.samples_view import SampleOrder, sample_page  # noqa: E402
from data_cache.store import reader  # noqa: E402
from tests.data_cache.spools import profile, small_benchmark  # noqa: E402
from tests.pages.large_cache import FULL, SMALL, build_large_cache  # noqa: E402

READERS = 2
PAUSE = 0.1
"""Seconds between two readings of a process."""
PACES = {"nobody": None, "a chunk a second": 1.0, "without a pause": 0.0}
"""Seconds from one chunk to the next."""


def readings(cache: Path) -> dict[str, Callable[[], object]]:
    """What the pages read whenever the data has a new version, by what it is."""
    record = next(one for one in estimates.load(cache) if one.subset == "all")
    order = SampleOrder(estimate_keys=(record.estimate_key,))
    return {
        "state": lambda: queries.state(cache),
        "runs": lambda: queries.runs(cache),
        "coverage": lambda: coverage(cache),
        "spectra": lambda: estimates.load(cache),
        "samples": lambda: sample_page(cache, order, limit=24),
    }


def read(cache: Path, seconds: float) -> None:
    """Read in turns; prints the milliseconds of each reading, None for "in use"."""
    found: dict[str, list[float | None]] = {}
    todo = readings(cache)
    for work in todo.values():  # what is imported and compiled once
        work()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, work in todo.items():
            began = time.perf_counter()
            try:
                work()
                taken = 1000 * (time.perf_counter() - began)
            except CacheBusy:
                taken = None
            found.setdefault(name, []).append(taken)
            time.sleep(PAUSE * random.uniform(0.5, 1.5))
    print(json.dumps(found))


def write(cache: Path, seconds: float, pace: float) -> None:
    """Write chunks as a run does, and ingest each; prints the milliseconds of each ingest."""
    taken: list[float] = []
    benchmark = small_benchmark(64)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        due = time.monotonic() + pace
        profile(cache, benchmark, draws=4, seed=time.time_ns())
        began = time.perf_counter()
        report = ingest(cache)
        taken.append(1000 * (time.perf_counter() - began))
        assert report.ingested > 0, report
        time.sleep(max(due - time.monotonic(), 0))
    print(json.dumps(taken))


def child(cache: Path, part: str, seconds: float, pace: float | None) -> subprocess.Popen[str]:
    words = [part, "--cache", cache, "--seconds", seconds, "--pace", pace]
    return subprocess.Popen(
        [sys.executable, __file__, "--part", *map(str, words)], stdout=subprocess.PIPE, text=True
    )


def numbers(times: list[float]) -> dict[str, float]:
    """Median, 95 % quantile and largest of some milliseconds."""
    if len(times) < 2:
        return {"n": len(times)}
    return {
        "n": len(times),
        "median_ms": round(median(times), 1),
        "p95_ms": round(quantiles(times, n=20)[-1], 1),
        "most_ms": round(max(times), 1),
    }


def measure(cache: Path, seconds: float, pace: float | None) -> dict[str, object]:
    """Read, and write at a pace; what both took."""
    readers = [child(cache, "read", seconds, None) for _ in range(READERS)]
    writers = [] if pace is None else [child(cache, "write", seconds, pace)]
    said = [json.loads(one.communicate()[0]) for one in (*readers, *writers)]
    times: dict[str, list[float]] = {}
    refused = 0
    for found in said[:READERS]:
        for name, taken in found.items():
            times.setdefault(name, []).extend(one for one in taken if one is not None)
            refused += taken.count(None)
    return {
        "all": numbers([one for taken in times.values() for one in taken]),
        "by_reading": {name: numbers(taken) for name, taken in times.items()},
        "in_use": refused,
        "ingests": numbers(said[-1]) if writers else None,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each pace")
    parser.add_argument("--small", action="store_true", help="a small cache, made in seconds")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=["read", "write"], help=argparse.SUPPRESS)
    parser.add_argument("--cache", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pace", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "read":
        read(arguments.cache, arguments.seconds)
        return 0
    if arguments.part == "write":
        write(arguments.cache, arguments.seconds, float(arguments.pace))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        cache = build_large_cache(Path(folder), SMALL if arguments.small else FULL)
        profile(cache, small_benchmark(64))
        ingest(cache)
        with reader(cache) as connection:
            (rows,) = connection.execute("SELECT count(*) FROM predictions").fetchall()[0]
        result = {
            **where(),
            "predictions": rows,
            "readers": READERS,
            "paces": {
                name: measure(cache, arguments.seconds, pace) for name, pace in PACES.items()
            },
        }
    if arguments.json:
        print(json.dumps(result, indent=1))
        return 0
    print(f"{rows:,} predictions, {READERS} readers")
    for name, found in result["paces"].items():
        every, ingests = found["all"], found["ingests"]
        print(
            f"{name:>17}: readings {every['median_ms']:.0f} ms, p95 {every['p95_ms']:.0f}, most "
            f"{every['most_ms']:.0f} ({every['n']}); {found['in_use']} times in use"
        )
        if ingests:
            print(
                f"{'':>17}  ingests {ingests['median_ms']:.0f} ms, p95 {ingests['p95_ms']:.0f}, "
                f"most {ingests['most_ms']:.0f} ({ingests['n']})"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
