"""What a trained network gives for I*, beside the solver and the published procedure.

    python bench/bench_batch.py            # tables
    python bench/bench_batch.py --json     # one JSON object
    python bench/bench_batch.py --quick    # 256 samples, and no run that cannot meet its margins
    python bench/bench_batch.py --without-reference unique blackwell   # saves minutes each

The problems are those of `pid_core.bank`, so are their features: what the probes saw, with Gaussian
noise of deviation 0.1. Every estimator of a row ran in the same process, one after the other. The
published procedure differentiates 500 sweeps per class and step wherever the margins of a batch
disagree, which is why most of the time goes there. OMP_NUM_THREADS=1 is the honest setting.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench_estimators import show, where

from pid_core import ATOMS, Channels, Spectrum, estimate
from pid_core.bank import Problem, hard_cases, predictive_cases, prior_cases
from pid_core.batch import Training, estimate_batch
from pid_core.certified import Settings

Row = dict[str, object]

SPREAD_SEEDS = 5
"""Runs of the published procedure on the redundant case, which takes seconds."""
INFEASIBLE = {"unique", "blackwell", "soft", "confident"} | {
    "text-always-a",
    "vision-always-a",
    "text-skewed",
}
"""Cases in which the published procedure sweeps 500 times: minutes each."""
EPOCHS = (8, 32, 128)
SIZES = (256, 512, 1024)


def timed_row(problem: Problem, name: str, **settings: object) -> Row:
    channels, train = problem.make(), problem.make_train() if problem.make_train else None
    start = time.perf_counter()
    found = estimate(channels, name, train=train, **settings)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    label = name if name != "certified" else f"certified, {settings.get('marginals', 'calibrate')}"
    return row_of(problem.name, label, found, seconds, channels)


def row_of(case: str, label: str, found: Spectrum, seconds: float, channels: Channels) -> Row:
    """Atoms before any clamping."""
    raw = found.diagnostics.plugin if label.startswith("batch_reference") else found.atoms
    gap = found.diagnostics.gap_bits
    return {
        "case": case,
        "estimator": label,
        "samples": channels.n_samples,
        "seconds": round(seconds, 2),
        "gap_bits": float(f"{gap:.2g}") if np.isfinite(gap) else None,
        **{name: round(raw[name], 4) for name in ATOMS},
    }


def published_row(problem: Problem, name: str) -> Iterable[Row]:
    """What was measured before, on another draw."""
    if name in problem.published:
        atoms = dict(zip(ATOMS, problem.published[name], strict=True))
        yield {"case": problem.name, "estimator": f"published: {name}", **atoms}


def cases(n: int, without: set[str]) -> list[Row]:
    rows: list[Row] = []
    for problem in predictive_cases(n):
        names = ["certified", "batch"]
        if problem.name.split("/")[1] not in without:
            names.append("batch_reference")
        rows += [timed_row(problem, name) for name in names]
        rows += published_row(problem, "batch")
        report(rows[-1])
    return rows


def priors(n: int, without: set[str]) -> list[Row]:
    rows: list[Row] = []
    for problem in prior_cases(n):
        rows.append(timed_row(problem, "certified"))
        try:
            rows.append(timed_row(problem, "certified", marginals="reference"))
        except ValueError as error:
            rows.append({"case": problem.name, "estimator": "certified, reference: " + str(error)})
        rows.append(timed_row(problem, "batch"))
        if problem.name.split("/")[1] not in without:
            rows.append(timed_row(problem, "batch_reference"))
        rows += published_row(problem, "batch_reference")
        report(rows[-1])
    return rows


def epochs_curve(n: int) -> list[Row]:
    """How near training for longer comes: the published width of the scores bounds it."""
    rows: list[Row] = []
    for problem in predictive_cases(n):
        if problem.name.split("/")[1] not in {"soft", "redundant"}:
            continue
        channels, train = problem.make(), problem.make_train()
        exact = estimate(channels, tolerance_bits=1e-4)
        for on, given in (("other samples", train), ("the same samples", None)):
            for epochs in EPOCHS:
                start = time.perf_counter()
                found = estimate_batch(channels, Settings(train=given), Training(epochs=epochs))
                seconds = time.perf_counter() - start
                row = row_of(
                    problem.name, f"batch, {epochs} epochs on {on}", found, seconds, channels
                )
                above = exact.synergy - found.synergy
                rows.append(row | {"above_i_star": float(f"{above:.3g}")})
                report(row)
    return rows


def seeds_of_the_published(n: int) -> list[Row]:
    """How far the weights and the order of training move the published procedure."""
    (problem,) = [one for one in predictive_cases(n) if one.name == "predictive/redundant"]
    return [
        timed_row(problem, "batch_reference", seed=seed) | {"seed": 42 + seed}
        for seed in range(SPREAD_SEEDS)
    ]


def sizes_of_a_coupling(n: int) -> list[Row]:
    """I* of parts of the samples on their own, averaged: what evaluating in batches adds."""
    rows: list[Row] = []
    for problem in (*predictive_cases(n), *hard_cases(n)):
        if problem.name.split("/")[1] in {"xor", "unique", "redundant", "blackwell"}:
            continue
        channels = problem.make()
        for size in [size for size in SIZES if size <= n]:
            parts = [channels.at(np.arange(at, at + size)) for at in range(0, n, size)]
            found = [estimate(part, tolerance_bits=1e-4) for part in parts]
            star = [one.total - one.synergy for one in found]
            above = [
                one.total - one.synergy - max(one.information_1, one.information_2) for one in found
            ]
            rows.append(
                {
                    "case": problem.name,
                    "samples_per_coupling": size,
                    "i_star": round(float(np.mean(star)), 4),
                    "above_larger_information": round(float(np.mean(above)), 4),
                }
            )
    return rows


def report(row: Row) -> None:
    print(json.dumps(row), file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small and feasible ones only")
    parser.add_argument(
        "--without-reference",
        nargs="*",
        default=[],
        metavar="CASE",
        help="cases in which the published procedure is not run, for example unique",
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    n = 256 if options.quick else 1024
    without = INFEASIBLE if options.quick else set(options.without_reference)
    results = {
        "where": where() | {"torch": torch.__version__},
        "sizes": sizes_of_a_coupling(n),
        "epochs": epochs_curve(n),
        "seeds": seeds_of_the_published(n),
        "priors": priors(500, without),
        "cases": cases(n, without),
    }
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("  ".join(f"{name}: {value}" for name, value in results["where"].items()))
    show("Six cases: atoms before clamping", results["cases"])
    show("Probes with another prior than the joint run: atoms before clamping", results["priors"])
    show("batch, trained for longer", results["epochs"])
    show("The published procedure from five seeds, redundant case", results["seeds"])
    show("I* of smaller couplings, solved exactly", results["sizes"])


if __name__ == "__main__":
    main()
