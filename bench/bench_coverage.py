"""How often 95 % intervals hold the truth, and how the bias of an estimate falls with N.

    python bench/bench_coverage.py --lines coverage.jsonl             # measure, go on where it was
    python bench/bench_coverage.py --lines coverage.jsonl --speed     # time of resampling
    python bench/bench_coverage.py --lines coverage.jsonl --tables    # tables of what is there
    python bench/bench_coverage.py --lines coverage.jsonl --json      # the same as one JSON object
    python bench/bench_coverage.py --lines coverage.jsonl --svg FILE  # bias against N

Populations of finitely many kinds of samples have atoms that `decompose_joint` knows to 1e-8 bits.
In "alike" two probes draw their rows from one continuous distribution, so that no source can have
anything of its own: I* = I(Y; X1) exactly. Each replication is one JSON line; set
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.coverage_populations import channels_of, joints, pair_of, softmax
from bench.coverage_tables import summary, svg, tables
from pid_core import Channels, estimate
from pid_core.paired import paired_spectra
from pid_core.resampling import bootstrap, resample_batches
from pid_core.uncertainty import uncertainty, with_uncertainty

REPLICATIONS = 200
PAIRS = ("both unique", "noisy copies")
REPLICATES = 100
"""Of the bootstrap, where it is compared with the first-order deviation."""


def tasks() -> Iterator[tuple[str, str, int, int]]:
    """Kind, population, N and seed; what is cheap first, and every population early."""
    yield from (("coverage", name, 256, seed) for seed in range(REPLICATIONS) for name in joints())
    yield from (("coverage", name, 1024, seed) for seed in range(REPLICATIONS) for name in joints())
    yield from (("bootstrap", name, 256, seed) for seed in range(2) for name in joints())
    for n, seeds in ((64, 60), (128, 60), (512, 24), (2048, 4), (4096, 2)):
        yield from (("bias", "alike", n, seed) for seed in range(seeds))
    yield from (("coverage", "alike", 256, seed) for seed in range(REPLICATIONS))
    yield from (("coverage", "alike", 1024, seed) for seed in range(48))
    yield from (("bootstrap", "alike", 256, seed) for seed in range(1))
    for name in PAIRS:
        yield from (("paired", name, 256, seed) for seed in range(REPLICATIONS))


def measured(task: tuple[str, str, int, int]) -> dict[str, object]:
    kind, name, n, seed = task
    start = time.process_time()
    if kind == "paired":
        spectra = [
            with_uncertainty(estimate(one), one, seed=seed) for one in pair_of(name, n, seed)
        ]
        found = paired_spectra(*spectra)
        return {
            "kind": kind,
            "population": name,
            "n": n,
            "seed": seed,
            "gap": sum(one.diagnostics.gap_bits for one in spectra),
            "value": found.difference.tolist(),
            "bias": found.bias.tolist(),
            "deviation": found.deviation.tolist(),
            "seconds": time.process_time() - start,
        }
    channels = channels_of(name, n, seed)
    spectrum = estimate(channels)
    row: dict[str, object] = {"kind": kind, "population": name, "n": n, "seed": seed}
    row |= {"gap": spectrum.diagnostics.gap_bits}
    if kind == "bias":
        row |= {"value": spectrum.values.tolist()}
    else:
        found = uncertainty(channels, spectrum, seed=seed)
        row |= {
            "value": found.value.tolist(),
            "bias": found.bias.tolist(),
            "deviation": found.deviation.tolist(),
        }
    if kind == "bootstrap":
        again = bootstrap(channels, replicates=REPLICATES, seed=seed)
        row |= {"bootstrap_deviation": again.std(axis=0, ddof=1).tolist()}
    return row | {"seconds": time.process_time() - start}


def measure(path: Path, workers: int, minutes: float) -> None:
    done = {(r["kind"], r["population"], r["n"], r["seed"]) for r in lines(path)}
    left = [task for task in tasks() if task not in done]
    print(f"{len(done)} done, {len(left)} to do", flush=True)
    start = time.perf_counter()
    with (
        path.open("a") as file,
        ProcessPoolExecutor(workers, get_context("spawn")) as pool,
    ):
        for chunk in range(0, len(left), 8 * workers):
            if time.perf_counter() - start > 60 * minutes:
                break
            futures = [pool.submit(measured, task) for task in left[chunk : chunk + 8 * workers]]
            for future in as_completed(futures):
                file.write(json.dumps(future.result()) + "\n")
            file.flush()
            if chunk % (80 * workers) == 0:
                print(f"{chunk} of {len(left)}, {time.perf_counter() - start:.0f} s", flush=True)


def speed(path: Path, workers: int) -> None:
    """Time the two kinds of resampling at N = 1083; wall time means little on a busy machine."""
    for name, spread in (("soft", (1.0, 1.5, 3.0)), ("crossed pairs", (1.0, 1.0, 1.0))):
        z1, z2, z3 = np.random.default_rng(0).normal(size=(3, 1083, 4))
        pairs = np.array([1.5, 1.5, 0.2, 0.2]) if name == "crossed pairs" else np.ones(4)
        z1, z2, z3 = spread[0] * pairs * z1, spread[1] * pairs[::-1] * z2, spread[2] * z3
        channels = Channels(full=softmax(z1 + z2 + z3), only_1=softmax(z1), only_2=softmax(z2))
        for work, call in (
            ("200 bootstrap replicates", lambda c=channels: bootstrap(c, workers=workers)),
            ("50 batches of 256", lambda c=channels: resample_batches(c, workers=workers)),
        ):
            start, cpu = time.perf_counter(), cpu_seconds()
            call()
            row = {
                "kind": "speed",
                "population": name,
                "n": 1083,
                "seed": work,
                "workers": workers,
                "wall_seconds": round(time.perf_counter() - start, 2),
                "cpu_seconds": round(cpu_seconds() - cpu, 2),
                "load": os.getloadavg()[0],
            }
            print(row, flush=True)
            with path.open("a") as file:
                file.write(json.dumps(row) + "\n")


def cpu_seconds() -> float:
    """Of this process and those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lines", type=Path, default=Path("coverage.jsonl"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after so long")
    parser.add_argument("--speed", action="store_true", help="time resampling instead")
    parser.add_argument("--tables", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    if arguments.json or arguments.tables or arguments.svg:
        found = summary(lines(arguments.lines))
        if arguments.svg:
            arguments.svg.write_text(svg(found["bias_of_n"]))
        elif arguments.json:
            print(json.dumps(found, indent=1))
        else:
            tables(found)
        return
    if arguments.speed:
        speed(arguments.lines, arguments.workers)
        return
    measure(arguments.lines, arguments.workers, arguments.minutes)


if __name__ == "__main__":
    main()
