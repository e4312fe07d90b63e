"""What a second single-threaded worker of a Ray cluster is worth for a CPU-bound run.

    python bench/bench_ray.py                    # a table
    python bench/bench_ray.py --limit 512 --json

A cluster of real nodes is made of processes of this machine: a head without a place, and one or two
nodes with a place for one single-threaded task each. The same run of a demo model is measured on
both, into a fresh cache each time, by what the command calls: from the first task until the
last chunk is ingested, with starting processes and loading the model in them, without
the start of the cluster, the noise statistics (once for a model and a benchmark; a small run before
leaves them) and the spectra. Worth measuring only on a machine with two idle cores. The chunks of
both are compared byte by byte.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
sys.path.insert(0, str(ROOT))

from bench_estimators import show, where  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402

from data_cache.location import run_directory  # noqa: E402
from model_runners.benchmark_choice import load_asked  # noqa: E402
from model_runners.cluster import RayOptions  # noqa: E402
from model_runners.cluster.head import profile_on_ray  # noqa: E402
from model_runners.profile import ProfileOptions  # noqa: E402

BENCHMARK = "digits_vqa"


def measured(workers: int, options: ProfileOptions, cache: Path) -> dict[str, object]:
    """Measure a run on so many workers, after a small run that leaves the statistics."""
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False}
    )
    for _ in range(workers):
        cluster.add_node(num_cpus=1)
    where = RayOptions(address=cluster.address, tasks=2 * workers)
    try:
        benchmark = load_asked(options, cache)
        # Another seed is another run. It leaves the noise statistics, which are made once for all.
        few = replace(options, limit=128, draws=1, seed=1)
        began = time.monotonic()
        profile_on_ray(few, cache, benchmark, where)
        first = time.monotonic() - began
        began = time.monotonic()
        report = profile_on_ray(options, cache, benchmark, where)
        seconds = time.monotonic() - began
    finally:
        cluster.shutdown()
    return {
        "workers": workers,
        "samples": report.samples,
        "passes": report.passes,
        "seconds": round(seconds, 2),
        "a first small run, s": round(first, 2),
        "samples/s": round(report.samples / seconds, 2),
        "run_key": report.run_key,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="demo/fusion-large")
    parser.add_argument("--limit", type=int, default=2048, help="samples (default: 2048)")
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    options = ProfileOptions(
        model=asked.model,
        benchmark=BENCHMARK,
        limit=asked.limit,
        draws=asked.draws,
        device="cpu",
        batch_size=64,
    )
    with tempfile.TemporaryDirectory() as folder:
        caches = [Path(folder) / str(workers) for workers in (1, 2)]
        rows = [measured(workers, options, cache) for workers, cache in enumerate(caches, 1)]
        keys = {str(row.pop("run_key")) for row in rows}
        chunks = [
            {
                path.name: path.read_bytes()
                for key in keys
                for path in run_directory(cache, key).glob("*.parquet")
            }
            for cache in caches
        ]
    speed = float(rows[0]["seconds"]) / float(rows[1]["seconds"])  # type: ignore[arg-type]
    found = {
        "where": where(),
        "rows": rows,
        "two workers, times one": round(speed, 2),
        "chunks": len(chunks[0]),
        "same bytes": chunks[0] == chunks[1],
    }
    if asked.json:
        print(json.dumps(found, indent=1))
        return
    print(found["where"])
    show("Workers", rows)
    print(f"\ntwo workers are {speed:.2f} times one; same bytes: {found['same bytes']}")


if __name__ == "__main__":
    main()
