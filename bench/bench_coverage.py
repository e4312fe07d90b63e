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
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pid_core import Channels, decompose_joint, estimate
from pid_core.information import row_divergence, to_bits
from pid_core.interval import reach_of
from pid_core.paired import paired_spectra
from pid_core.resampling import bootstrap, resample_batches
from pid_core.spectrum import ATOMS, COLUMNS
from pid_core.uncertainty import uncertainty, with_uncertainty

REPLICATIONS = 200
REACH = reach_of(0.95)
SHOWN = (*ATOMS, "total", "redundancy_share", "synergy_share")
GROUP_SIZE = 4
PAIRS = ("both unique", "noisy copies")
FIXED = 1e-4
"""Bits."""
KEEP = 0.8
"""Of a source, by the duller of two models."""
REPLICATES = 100
"""Of the bootstrap, where it is compared with the first-order deviation."""


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def noisy_copies(k: int, sure_1: float, sure_2: float) -> np.ndarray:
    """P[x1, x2, y]: both sources see y through noise of their own."""
    see = [np.full((k, k), (1 - s) / (k - 1)) + np.eye(k) * (s - (1 - s) / (k - 1)) for s in
           (sure_1, sure_2)]  # fmt: skip
    return np.einsum("iy,jy->ijy", *see) / k


def noisy_sum(k: int, noise: float, tilt: float) -> np.ndarray:
    """y = x1 + x2 mod k, through noise; x1 is not uniform, so source 2 knows a little alone."""
    p = np.zeros((k, k, k))
    weight = 1.0 + tilt * np.arange(k)
    for i in range(k):
        for j in range(k):
            p[i, j] = weight[i] * (noise / k + (1 - noise) * np.eye(k)[(i + j) % k])
    return p / p.sum()


def degraded(k: int, sure: float, keep: float) -> np.ndarray:
    """Source 2 is source 1 seen through noise: only source 1 has anything of its own."""
    first = noisy_copies(k, sure, sure).sum(axis=1)
    blur = np.full((k, k), (1 - keep) / (k - 1)) + np.eye(k) * (keep - (1 - keep) / (k - 1))
    return np.einsum("iy,ij->ijy", first, blur)


def dirichlet(seed: int, shape: tuple[int, int, int], concentration: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.full(int(np.prod(shape)), concentration)).reshape(shape)


@cache
def joints() -> dict[str, np.ndarray]:
    both = dirichlet(3, (6, 6, 4), 0.25)
    return {
        "noisy copies": noisy_copies(4, 0.7, 0.7),
        "one better": noisy_copies(4, 0.8, 0.6),
        "degraded": degraded(4, 0.85, 0.8),
        "both unique": both,
        "sum mod 4": noisy_sum(4, 0.1, 0.4),
        "two answers": dirichlet(5, (5, 5, 2), 0.4),
        "noisy xor": noisy_sum(2, 0.2, 0.5),
        "groups, both unique": both,
        "groups, copies": noisy_copies(4, 0.7, 0.7),
    }


@cache
def truth(name: str) -> dict[str, float]:
    """Of every column; those of "alike" by 4 million samples of I(Y; X1) and I(Y; X1, X2)."""
    if name.startswith("difference, "):
        one, two = (
            decompose_joint(p, tolerance_bits=1e-8).values
            for p in (joints()[name[12:]], duller(name[12:]))
        )
        return dict(zip(COLUMNS, (two - one).tolist(), strict=True))
    if name in joints():
        found = decompose_joint(joints()[name], tolerance_bits=1e-8)
        return dict(zip(COLUMNS, found.values.tolist(), strict=True))
    generator = np.random.default_rng(2**20)
    uniform, one, both = np.full(4, 0.25), [], []
    for _ in range(40):
        z1, z2 = generator.normal(size=(2, 100_000, 4))
        one.append(row_divergence(softmax(z1), uniform).mean())
        both.append(row_divergence(softmax(z1 + z2), uniform).mean())
    known, total = to_bits(float(np.mean(one))), to_bits(float(np.mean(both)))
    atoms = (known, 0.0, 0.0, total - known)
    return dict(zip(COLUMNS, (*atoms, total, *(a / total for a in atoms)), strict=True))


def channels_of(name: str, n: int, seed: int) -> Channels:
    generator = np.random.default_rng([seed, n])
    if name == "alike":
        z1, z2 = generator.normal(size=(2, n, 4))
        return Channels(full=softmax(z1 + z2), only_1=softmax(z1), only_2=softmax(z2))
    p = joints()[name]
    mass = p.sum(axis=2)
    groups = None
    if name.startswith("groups"):
        groups = np.repeat(np.arange(n // GROUP_SIZE), GROUP_SIZE)
        i, j = grouped_kinds(p, groups, generator)
    else:
        i, j = np.unravel_index(generator.choice(mass.size, size=n, p=mass.ravel()), mass.shape)
    return rows_of(p, i, j, groups)


def grouped_kinds(
    p: np.ndarray, groups: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """One image, several questions: the samples of a group share source 1."""
    mass = p.sum(axis=2)
    i = generator.choice(len(mass), size=int(groups.max()) + 1, p=mass.sum(axis=1))[groups]
    given = mass[i] / mass[i].sum(axis=1, keepdims=True)
    return i, (given.cumsum(axis=1) > generator.random((len(groups), 1))).argmax(axis=1)


def rows_of(p: np.ndarray, i: np.ndarray, j: np.ndarray, groups: np.ndarray | None) -> Channels:
    mass, first, second = p.sum(axis=2), p.sum(axis=1), p.sum(axis=0)
    return Channels(
        full=(p / np.where(mass > 0, mass, 1)[:, :, None])[i, j],
        only_1=(first / first.sum(axis=1, keepdims=True))[i],
        only_2=(second / second.sum(axis=1, keepdims=True))[j],
        group_id=groups,
    )


def blurred(k: int) -> np.ndarray:
    """T[i, i']: what a duller model takes a kind of sample for."""
    return np.full((k, k), (1 - KEEP) / k) + np.eye(k) * KEEP


@cache
def duller(name: str) -> np.ndarray:
    """The joint of a model that mistakes both sources now and then."""
    p = joints()[name]
    return np.einsum("ijy,ia,jb->aby", p, blurred(len(p)), blurred(p.shape[1]))


def pair_of(name: str, n: int, seed: int) -> list[Channels]:
    """Two models on the same samples, in groups of four that share source 1."""
    generator = np.random.default_rng([seed, n, 2])
    sharp, dull = joints()[name], duller(name)
    groups = np.repeat(np.arange(n // GROUP_SIZE), GROUP_SIZE)
    i, j = grouped_kinds(sharp, groups, generator)
    a, b = (
        (blurred(size)[kind].cumsum(axis=1) > generator.random((n, 1))).argmax(axis=1)
        for kind, size in ((i, len(sharp)), (j, sharp.shape[1]))
    )
    return [rows_of(sharp, i, j, groups), rows_of(dull, a, b, groups)]


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


def coverage(rows: list[dict]) -> list[dict[str, object]]:
    """One row per population, N and number of the spectrum."""
    cells: dict[tuple[str, int], list[dict]] = defaultdict(list)
    for row in rows:
        if row["kind"] in {"coverage", "paired"}:
            prefix = "difference, " if row["kind"] == "paired" else ""
            cells[prefix + row["population"], row["n"]].append(row)
    found = []
    for (name, n), held in sorted(cells.items()):
        value, bias, deviation = (
            np.array([row[key] for row in held]) for key in ("value", "bias", "deviation")
        )
        # The solver's own certified error is no sampling error: it is added on both sides.
        slack = np.array([row["gap"] for row in held])
        for column in SHOWN:
            at = COLUMNS.index(column)
            v, b, d, exact = value[:, at], bias[:, at], deviation[:, at], truth(name)[column]
            reach = REACH * d + slack
            low, high = np.minimum(v, v - b) - reach, np.maximum(v, v - b) + reach
            found.append(
                {
                    "population": name,
                    "n": n,
                    "replications": len(held),
                    "number": column,
                    "truth": exact,
                    "coverage": float(((low <= exact) & (exact <= high)).mean()),
                    "coverage_first_order": float((np.abs(v - exact) <= reach).mean()),
                    "coverage_corrected": float((np.abs(v - b - exact) <= reach).mean()),
                    "bias": float(v.mean() - exact),
                    "bias_from_quarters": float(b.mean()),
                    "spread": float(v.std(ddof=1)),
                    # Fixed by the population: it varies by less than the solver's accuracy.
                    "is_fixed": bool(v.std() < FIXED),
                    "largest_error": float(np.abs(v - exact).max()),
                    "deviation": float(d.mean()),
                    "half_width": float((high - low).mean() / 2),
                }
            )
    return found


def bias_of_n(rows: list[dict]) -> list[dict[str, object]]:
    """Mean error of I* on alike channels, by N."""
    cells: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        if row["population"] == "alike" and row["kind"] != "bootstrap":
            value = np.array(row["value"])
            # I* = total - S; without what both sources' own I(Y; X) move, that is U1 and U2.
            cells[row["n"]].append(float((value[1] + value[2]) / 2))
    return [
        {
            "n": n,
            "replications": len(values),
            "bias": float(np.mean(values)),
            "standard_error": float(np.std(values, ddof=1) / len(values) ** 0.5)
            if len(values) > 1
            else None,
            "bias_times_root_n": float(np.mean(values) * n**0.5),
        }
        for n, values in sorted(cells.items())
    ]


def deviations(rows: list[dict]) -> list[dict[str, object]]:
    """First-order over bootstrap, where the bootstrap is above a hundredth of a bit."""
    found = []
    for row in rows:
        if row["kind"] == "bootstrap":
            first, again = (np.array(row[key][:5]) for key in ("deviation", "bootstrap_deviation"))
            found += [
                {
                    "population": row["population"],
                    "n": row["n"],
                    "seed": row["seed"],
                    "number": COLUMNS[at],
                    "first_order": float(first[at]),
                    "bootstrap": float(again[at]),
                    "ratio": float(first[at] / again[at]),
                }
                for at in np.flatnonzero(again > 0.01)
            ]
    return found


def summary(rows: list[dict]) -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "cpu_seconds": sum(float(row["seconds"]) for row in rows if row["kind"] != "speed"),
        "speed": [row for row in rows if row["kind"] == "speed"],
        "coverage": coverage(rows),
        "bias_of_n": bias_of_n(rows),
        "deviations": deviations(rows),
    }


def tables(found: dict) -> None:
    head = ("coverage", "coverage_first_order", "coverage_corrected", "truth", "bias",
            "bias_from_quarters", "spread", "deviation")  # fmt: skip
    print(f"{'population':22} {'N':>5} {'number':17} " + " ".join(f"{h[:11]:>11}" for h in head))
    for row in found["coverage"]:
        print(
            f"{row['population']:22} {row['n']:5} {row['number']:17} "
            + " ".join(f"{row[h]:11.4f}" for h in head)
        )
    for row in (*found["bias_of_n"], *found["speed"]):
        print(row)
    ratios = [row["ratio"] for row in found["deviations"]]
    if ratios:
        print(f"first order / bootstrap: {np.percentile(ratios, [0, 25, 50, 75, 100]).round(2)}")


def svg(points: list[dict]) -> str:
    """Bias against N, both logarithmic, with the line c / sqrt(N) through the points."""
    weight = np.array([point["n"] * point["replications"] for point in points], dtype=float)
    c = float(np.average([point["bias_times_root_n"] for point in points], weights=weight))
    left, right, top, bottom = 70, 560, 20, 300
    ns, ys = (40, 6000), (0.004, 0.12)

    def x(n: float) -> float:
        return left + (right - left) * np.log(n / ns[0]) / np.log(ns[1] / ns[0])

    def y(bits: float) -> float:
        return bottom - (bottom - top) * np.log(max(bits, ys[0]) / ys[0]) / np.log(ys[1] / ys[0])

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 360" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Bias of I* against the number of samples">',
        '<rect width="600" height="360" fill="white"/>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444"/>',
    ]
    for point in points:
        n = point["n"]
        parts.append(f'<text x="{x(n):.1f}" y="{bottom + 18}" text-anchor="middle">{n}</text>')
    for bits in (0.005, 0.01, 0.02, 0.05, 0.1):
        parts.append(f'<text x="{left - 8}" y="{y(bits) + 4:.1f}" text-anchor="end">{bits}</text>')
        parts.append(f'<path d="M{left} {y(bits):.1f}H{right}" stroke="#ddd"/>')
    law = " ".join(f"{x(n):.1f},{y(c / n**0.5):.1f}" for n in ns)
    parts.append(f'<polyline points="{law}" fill="none" stroke="#888" stroke-dasharray="5 4"/>')
    label = y(c / 1500**0.5) - 12
    parts.append(f'<text x="{x(1500):.1f}" y="{label:.1f}" fill="#555">{c:.2f} / √N</text>')
    for point in points:
        reach = 1.96 * (point["standard_error"] or 0.0)
        low, high = y(point["bias"] - reach), y(point["bias"] + reach)
        parts.append(
            f'<path d="M{x(point["n"]):.1f} {low:.1f}V{high:.1f}" stroke="#0072b2"/>'
            f'<circle cx="{x(point["n"]):.1f}" cy="{y(point["bias"]):.1f}" r="4" fill="#0072b2"/>'
        )
    parts += [
        f'<text x="{(left + right) / 2}" y="{bottom + 42}" text-anchor="middle">samples N</text>',
        f'<text transform="translate(18 {(top + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        "unique information of alike sources (bits; truth 0)</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


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
