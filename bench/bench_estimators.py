"""How fast and how sure the certified estimator is, beside an interior point solver.

    python bench/bench_estimators.py            # tables
    python bench/bench_estimators.py --json     # one JSON object
    python bench/bench_estimators.py --quick    # the small sizes only

One core is enough and the honest setting: OMP_NUM_THREADS=1. The interior point column needs cvxpy.
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
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pid_core import Channels, decompose_joint, estimate, estimate_over_draws
from pid_core.information import to_bits

K = 4


def softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def timed(work: Callable[[], object], repeats: int) -> tuple[float, object]:
    """Median seconds and the last result."""
    seconds, result = [], None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), result


def channels_of(case: str, n: int) -> Channels:
    z1, z2, z3 = np.random.default_rng(0).normal(size=(3, n, K))
    truth = np.eye(K)[np.arange(n) % K]
    crossed = np.array([1.5, 1.5, 0.2, 0.2])
    full, only_1, only_2 = {
        "soft": (z1 + 1.5 * z2 + 3 * z3, z1, 1.5 * z2),
        "confident": (6 * z1 + 8 * z2 + 3 * z3, 3 * z1, 4 * z2),
        "crossed pairs": (crossed * z1 + crossed[::-1] * z2 + z3, crossed * z1, crossed[::-1] * z2),
        "both 1.5": (1.5 * z1 + 1.5 * z2 + z3, 1.5 * z1, 1.5 * z2),
        "both sure": (8 * truth + z3, 6 * truth + z1, 6 * truth + z2),
        "both near uniform": (8 * truth + z3, 0.1 * z1, 0.1 * z2),
    }[case]
    return Channels(full=softmax(full), only_1=softmax(only_1), only_2=softmax(only_2))


CASES = ("soft", "confident", "crossed pairs", "both 1.5", "both sure", "both near uniform")


def bench_channels(sizes: list[int], tolerances: list[float]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for n in sizes:
        for case in CASES:
            channels = channels_of(case, n)
            for tolerance in tolerances:
                seconds, found = timed(
                    lambda c=channels, t=tolerance: estimate(c, tolerance_bits=t), 1
                )
                rows.append(
                    {
                        "case": case,
                        "samples": n,
                        "tolerance_bits": tolerance,
                        "seconds": round(seconds, 3),
                        "gap_bits": float(f"{found.diagnostics.gap_bits:.2g}"),
                        **{name: round(value, 4) for name, value in found.atoms.items()},
                    }
                )
    return rows


def cone_program(joint: np.ndarray) -> float:
    """I* in bits by cvxpy and Clarabel."""
    import cvxpy

    n, m, k = joint.shape
    first, second = joint.sum(axis=1), joint.sum(axis=0)
    q = [cvxpy.Variable((n, m), nonneg=True) for _ in range(k)]
    total = sum(q[1:], start=q[0])
    objective = sum(cvxpy.sum(cvxpy.rel_entr(part, total)) for part in q)
    rules = [cvxpy.sum(q[y], axis=1) == first[:, y] for y in range(k)]
    rules += [cvxpy.sum(q[y], axis=0) == second[:, y] for y in range(k)]
    cvxpy.Problem(cvxpy.Minimize(objective), rules).solve(solver=cvxpy.CLARABEL)
    prior = joint.sum(axis=(0, 1))
    return to_bits(float(objective.value) - float(np.sum(prior * np.log(prior))))


def bench_joints(sizes: list[int]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for n in sizes:
        joint = np.random.default_rng(n).dirichlet(np.full(n * n * K, 0.2)).reshape(n, n, K)
        seconds, found = timed(lambda p=joint: decompose_joint(p), 3)
        row: dict[str, object] = {
            "joint": f"{n} x {n} x {K}",
            "seconds": round(seconds, 4),
            "gap_bits": float(f"{found.diagnostics.gap_bits:.2g}"),
        }
        try:
            cone_seconds, star = timed(lambda p=joint: cone_program(p), 1)
        except ImportError:
            row["cone_seconds"] = None
        else:
            row["cone_seconds"] = round(cone_seconds, 3)
            row["difference_bits"] = float(f"{found.total - found.synergy - star:.2g}")
        rows.append(row)
    return rows


def bench_draws(n: int, draws: int) -> list[dict[str, object]]:
    """Four subsets of a solver that knows the truth, every solution jackknifed over draws."""
    generator = np.random.default_rng(0)
    truth = 8 * np.eye(K)[np.arange(n) % K]
    full = softmax(truth + generator.normal(size=(n, K)))

    def sure() -> np.ndarray:
        return softmax(truth[:, None] + 1.5 * generator.normal(size=(n, draws, K)))

    def lost() -> np.ndarray:
        return softmax(0.3 * generator.normal(size=(n, draws, K)))

    subsets = {
        "synergy": (lost(), lost()),
        "vision": (sure(), lost()),
        "language": (lost(), sure()),
        "redundant": (sure(), sure()),
    }
    rows: list[dict[str, object]] = []
    for name, (only_1, only_2) in subsets.items():
        seconds, found = timed(
            lambda a=only_1, b=only_2: estimate_over_draws(full, a, b, lost()), 1
        )
        rows.append(
            {
                "subset": name,
                "samples": n,
                "draws": draws,
                "seconds": round(seconds, 3),
                "gap_bits": float(f"{found.diagnostics.gap_bits:.2g}"),
                **{atom: round(value, 4) for atom, value in found.atoms.items()},
            }
        )
    return rows


def where() -> dict[str, str]:
    root = Path(__file__).resolve().parent.parent
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [x for x in information.read_text().splitlines() if x.startswith("model name")]
        cpu = names[0].split(":")[1].strip() if names else cpu
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit or "unknown",
        "machine": f"{cpu}, {os.cpu_count()} cores, OMP_NUM_THREADS="
        + os.environ.get("OMP_NUM_THREADS", "unset"),
        "python": platform.python_version(),
        "numpy": np.__version__,
    }


def show(title: str, rows: list[dict[str, object]]) -> None:
    print(f"\n## {title}\n")
    names = list(dict.fromkeys(name for row in rows for name in row))
    print("| " + " | ".join(names) + " |")
    print("|" + " --- |" * len(names))
    for row in rows:
        print("| " + " | ".join(str(row.get(name, "")) for name in names) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    options = parser.parse_args()
    results = {
        "where": where(),
        "channels": bench_channels([256] if options.quick else [256, 1024], [1e-3, 1e-5]),
        "joints": bench_joints([4, 8, 16] if options.quick else [4, 8, 16, 32, 64]),
        "draws": bench_draws(352, 4),
    }
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("  ".join(f"{name}: {value}" for name, value in results["where"].items()))
    show("Predictive distributions, K = 4, one solution each", results["channels"])
    show("Discrete joints, beside cvxpy with Clarabel", results["joints"])
    show("Four subsets, D = 4 draws, five solutions each", results["draws"])


if __name__ == "__main__":
    main()
