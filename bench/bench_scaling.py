"""How time, memory and the certified gap grow with the number of samples.

    python bench/bench_scaling.py                    # a table
    python bench/bench_scaling.py --json             # one JSON object
    python bench/bench_scaling.py --quick            # up to 2,048 samples
    python bench/bench_scaling.py --svg FILE         # seconds against N, from this run
    python bench/bench_scaling.py --svg FILE --from RESULTS.json

Every size runs in a process of its own, so that its peak memory is its own. Above 3,000 rows per
source `certified` merges rows that are nearly alike; with two candidates it is a closed form.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from bench_estimators import channels_of, show, softmax, where

from pid_core import Channels, estimate

SIZES = (256, 512, 1024, 2048, 4096, 10_000, 16_384)
CASES = ("confident", "soft", "both 1.5")
TWO_CANDIDATES = (1024, 10_000, 100_000)
COLOURS = {"confident": "#0072b2", "soft": "#009e73", "both 1.5": "#d55e00"}


def two_candidates(n: int) -> Channels:
    z1, z2, z3 = np.random.default_rng(0).normal(size=(3, n, 2))
    return Channels(full=softmax(2 * z1 + z2 + z3), only_1=softmax(2 * z1), only_2=softmax(z2))


def one(case: str, n: int) -> dict[str, object]:
    channels = two_candidates(n) if case == "two candidates" else channels_of(case, n)
    start = time.perf_counter()
    found = estimate(channels)
    return {
        "case": case,
        "samples": n,
        "seconds": round(time.perf_counter() - start, 2),
        "gap_bits": float(f"{found.diagnostics.gap_bits:.2g}"),
        "peak_GB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "method": found.diagnostics.method,
    }


def measured(case: str, n: int) -> dict[str, object]:
    command = [sys.executable, __file__, "--one", case, str(n)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    row = json.loads(printed)
    print(row, file=sys.stderr)
    return row


def svg(rows: list[dict]) -> str:
    """Seconds against N, both logarithmic, one line per case; hollow where rows were merged."""
    left, right, top, bottom = 70, 560, 20, 300
    ns, seconds = (200, 20_000), (0.01, 1000.0)

    def x(n: float) -> float:
        return left + (right - left) * math.log(n / ns[0]) / math.log(ns[1] / ns[0])

    def y(value: float) -> float:
        share = math.log(max(value, seconds[0]) / seconds[0]) / math.log(seconds[1] / seconds[0])
        return bottom - (bottom - top) * share

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 360" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="Seconds of one estimate against the samples">',
        '<rect width="600" height="360" fill="white"/>',
        f'<path d="M{left} {top}V{bottom}H{right}" fill="none" stroke="#444"/>',
        *(
            f'<text x="{x(n):.1f}" y="{bottom + 18}" text-anchor="middle">{n}</text>'
            for n in (256, 1024, 4096, 16384)
        ),
        *(
            f'<text x="{left - 8}" y="{y(s) + 4:.1f}" text-anchor="end">{s:g}</text>'
            f'<path d="M{left} {y(s):.1f}H{right}" stroke="#ddd"/>'
            for s in (0.01, 0.1, 1, 10, 100, 1000)
        ),
    ]
    for number, (case, colour) in enumerate(COLOURS.items()):
        line = sorted((row for row in rows if row["case"] == case), key=lambda row: row["samples"])
        places = [(x(row["samples"]), y(row["seconds"]), row) for row in line]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        parts += [
            f'<circle cx="{px:.1f}" cy="{py:.1f}" r="4" stroke="{colour}" '
            f'fill="{"white" if "merged" in row["method"] else colour}"/>'
            for px, py, row in places
        ]
        parts.append(f'<text x="90" y="{40 + 18 * number}" fill="{colour}">{case}</text>')
    parts += [
        f'<text x="{(left + right) / 2}" y="{bottom + 42}" text-anchor="middle">'
        "samples N (four candidates; hollow: rows merged)</text>",
        f'<text transform="translate(18 {(top + bottom) / 2}) rotate(-90)" text-anchor="middle">'
        "seconds of one estimate, gap 0.001 bits asked for</text>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--svg", type=Path, help="write the picture to this file")
    parser.add_argument("--from", dest="source", type=Path, help="take the rows of this result")
    parser.add_argument("--one", nargs=2, metavar=("CASE", "N"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one[0], int(options.one[1]))))
        return
    if options.source:
        rows = json.loads(options.source.read_text())["scaling"]
    else:
        sizes = [n for n in SIZES if n <= 2048] if options.quick else SIZES
        rows = [measured(case, n) for case in CASES for n in sizes]
        rows += [measured("two candidates", n) for n in TWO_CANDIDATES]
    if options.svg:
        options.svg.write_text(svg(rows))
    if options.json:
        print(json.dumps({"where": where(), "scaling": rows}, indent=1))
    elif not options.source:
        show("One estimate", rows)


if __name__ == "__main__":
    main()
