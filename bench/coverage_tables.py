"""What the measured lines of `bench_coverage.py` say: coverage, bias against N, deviations."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from collections import defaultdict

import numpy as np

from bench.coverage_populations import truth
from pid_core.interval import reach_of
from pid_core.spectrum import ATOMS, COLUMNS

REACH = reach_of(0.95)
SHOWN = (*ATOMS, "total", "redundancy_share", "synergy_share")
FIXED = 1e-4
"""Bits."""


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
