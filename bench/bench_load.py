"""Whether twenty people can read the dashboard while a run writes into its cache.

    python bench/bench_load.py                             # 20 visitors, 2 minutes, a table
    python bench/bench_load.py --visitors 5 --seconds 20 --json

The cache is the shipped demo. A second process measures, as far as the cache can tell: it writes
four chunks of 64 samples (all conditions, 4 draws, 3 layers) every five seconds and ingests them,
as a run does, so that the data changes under everybody's hands. Visitors are sessions of the real
server on loopback that speak Streamlit's protocol without a browser (dashboard_client.py; twenty
Chromiums would be most of the load of two cores themselves): each opens a page at random with
models and a benchmark in its address, waits 2 to 6 seconds as a reader does, and opens the next. A
page's time runs from the request until the server has sent all of it. At the end every row that was
written is looked for.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from bench_estimators import show, where  # noqa: E402
from dashboard_client import Drawn, Visitor  # noqa: E402

from data_cache import queries  # noqa: E402
from data_cache.chunks import BLOCK_SIZE, ChunkPlan, write_chunk  # noqa: E402
from data_cache.conditions import PROBED  # noqa: E402
from data_cache.ingest import ingest  # noqa: E402
from data_cache.location import run_directory  # noqa: E402
from data_cache.runs import run_key, write_sidecar  # noqa: E402
from data_cache.sample_chunks import write_samples  # noqa: E402
from data_cache.shipped import load_demo  # noqa: E402
from data_cache.store import reader  # noqa: E402
from model_runners.deriving import derive  # noqa: E402
from tests.browser.conftest import serving  # noqa: E402
from tests.data_cache.spools import config_of, rows_of, small_benchmark  # noqa: E402

PAGES = (
    *("", "spectra", "samples", "layers", "training", "families", "findings", "compare"),
    *("lora", "benchmarks"),
)
"""Names in the address; the lab and Run are for those who compute, not for readers."""
THINKS = (2.0, 6.0)
"""Seconds that a reader looks at a page."""
WRITES_EVERY = 5.0
"""Seconds between two ingests, as a run has them (`profile.INGEST_SECONDS`)."""
CHUNKS_EACH = 4
"""Finished chunks that an ingest finds."""
MODEL, BENCHMARK = "load/being-measured", "load"
DRAWS, LAYERS = 4, (-1, 0, 1)
MOST_BLOCKS = 400


def write(cache: Path, stop: Event, written: multiprocessing.Queue) -> None:
    """Write a run block by block and ingest each, until it is told to stop."""
    benchmark = small_benchmark(BLOCK_SIZE * MOST_BLOCKS, name=BENCHMARK)
    config = config_of(benchmark, model=MODEL)
    key = run_key(config)
    write_sidecar(cache, key, config, self_test={"passed": True})
    options = {sample.id: len(sample.options) for sample in benchmark.samples}
    done = rows = 0
    seconds: list[float] = []
    while not stop.is_set() and done < MOST_BLOCKS:
        began = time.monotonic()
        for _ in range(CHUNKS_EACH):
            start = done * BLOCK_SIZE
            plan = ChunkPlan(
                run_key=key,
                index=done,
                sample_ids=tuple(s.id for s in benchmark.samples[start : start + BLOCK_SIZE]),
                draws=DRAWS,
                layers=LAYERS,
                conditions=PROBED,
            )
            table = rows_of(plan, options)
            write_samples(cache, benchmark, [start])
            write_chunk(run_directory(cache, key), plan, table)
            done, rows = done + 1, rows + len(table)
        ingest(cache)
        seconds.append(time.monotonic() - began)
        stop.wait(max(WRITES_EVERY - seconds[-1], 0))
    written.put((done, rows, seconds))


def visit(url: str, seed: int, end: float, addresses: list[str], found: list[dict]) -> None:
    """Read pages until the time is over."""
    chance = random.Random(seed)
    time.sleep(chance.uniform(0, THINKS[1]))
    try:
        with Visitor(url) as visitor:
            while time.monotonic() < end:
                page = chance.choice(PAGES)
                drawn: Drawn = visitor.open(page, chance.choice(addresses))
                found.append(
                    {
                        "page": page or "overview",
                        "seconds": drawn.seconds,
                        "elements": drawn.elements,
                        "troubles": drawn.troubles,
                    }
                )
                time.sleep(chance.uniform(*THINKS))
    except Exception as error:  # noqa: BLE001 - whatever ends a visit is what is looked for
        found.append({"page": "connection", "seconds": 0.0, "troubles": [repr(error)]})


def addresses_of(cache: Path) -> list[str]:
    """Return parameters of addresses: every benchmark with up to four of its models."""
    runs = queries.runs(cache)
    chance = random.Random(0)
    found = [""]
    for benchmark in sorted({run.benchmark for run in runs}):
        models = sorted({run.model for run in runs if run.benchmark == benchmark})
        for _ in range(10):
            chosen = chance.sample(models, min(4, len(models)))
            asked = {"benchmark": benchmark, "models": chosen}
            found.append(urlencode(asked, doseq=True))
    return found


def processor_seconds(pid: int) -> float:
    """Return what a process has had of the processor so far; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows_of_the_run(cache: Path) -> tuple[int, int]:
    """Return the rows of the written run in the database, and its samples."""
    with reader(cache, patience=30) as connection:
        return connection.execute(
            """SELECT count(*), count(DISTINCT sample_id) FROM predictions
               JOIN runs USING (run_key) WHERE runs.model = ?""",
            [MODEL],
        ).fetchall()[0]


def bench(visitors: int, seconds: float, cache: Path) -> dict[str, object]:
    load_demo(cache)
    derive(cache)
    addresses = addresses_of(cache)
    context = multiprocessing.get_context("spawn")
    stop, written = context.Event(), context.Queue()
    writer = context.Process(target=write, args=(cache, stop, written))
    found: list[dict] = []
    with serving(cache, cache.parent / "log.txt") as dashboard:
        with Visitor(dashboard.url) as first:  # what a fresh server does once
            for page in PAGES:
                first.open(page)
        writer.start()
        before = processor_seconds(dashboard.process.pid)
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(target=visit, args=(dashboard.url, seed, end, addresses, found))
            for seed in range(visitors)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = processor_seconds(dashboard.process.pid) - before
        stop.set()
        blocks, expected, cycles = written.get(timeout=120)
        writer.join()
    ingest(cache)
    rows, samples = rows_of_the_run(cache)
    drawn = [one for one in found if one["page"] != "connection"]
    by_page = [
        {
            "page": page,
            "opened": len(times := [one["seconds"] for one in drawn if one["page"] == page]),
            "median s": round(float(np.median(times)), 3),
            "p95 s": round(float(np.percentile(times, 95)), 3),
            "slowest s": round(max(times), 3),
        }
        for page in sorted({one["page"] for one in drawn})
    ]
    times = [one["seconds"] for one in drawn]
    return {
        "visitors": visitors,
        "seconds": seconds,
        "pages opened": len(drawn),
        "median s": round(float(np.median(times)), 3),
        "p95 s": round(float(np.percentile(times, 95)), 3),
        "slowest s": round(max(times), 3),
        "server's processor s a page": round(spent / max(len(drawn), 1), 3),
        "server's share of a processor": round(spent / seconds, 2),
        "errors": [trouble for one in found for trouble in one["troubles"]],
        "blocks ingested": blocks,
        "write and ingest, median s": round(float(np.median(cycles)), 3),
        "rows written": expected,
        "rows found": rows,
        "samples found": samples,
        "lost rows": expected - rows,
        "pages": by_page,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = bench(options.visitors, options.seconds, Path(folder) / "cache")
    if options.json:
        print(json.dumps({"where": where(), **measured}, indent=1))
    else:
        pages = measured.pop("pages")
        errors = measured.pop("errors")
        print(where())
        show("Load", [measured])
        show("Pages", pages)  # type: ignore[arg-type]
        for one in sorted(set(errors)):  # type: ignore[arg-type]
            print(f"{errors.count(one)} x {one}")  # type: ignore[attr-defined]
    is_well = not measured.get("errors") and measured["lost rows"] == 0 and measured["p95 s"] < 2  # type: ignore[operator]
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
