"""What swapped pairs cost beside the noise, and how their error falls with the partners.

    python -m bench.bench_swap [--model demo/oracle] [--samples 64] [--toy 20]

Part one runs the same samples through the same model: four draws of noise (14 passes a sample), and
eight partners (9 passes), with image prefixes shared and not. It counts seconds of the process, so
that others on the machine matter little, and positions of the text stack, which do not depend on
the machine. Part two draws worlds with known p(y|x1, x2) and compares with `decompose_joint` of
their product.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from data_cache.benchmarks import load_benchmark
from data_cache.samples import Benchmark, Sample
from model_runners.candidates import Candidates
from model_runners.inference import BatchRunner
from model_runners.loading import LoadedModel, load
from model_runners.masking import Masker
from model_runners.statistics import noise_statistics
from model_runners.stopwatch import Stopwatch
from model_runners.swap_runner import SharedPrefixes, SwapRunner
from model_runners.swapping import swaps_of
from model_runners.vision import VisionCache
from pid_core import ATOMS, decompose_joint
from pid_core.interventional import estimate_interventional
from pid_core.swap_design import swap_design

DRAWS, PARTNERS, ROWS = 4, 8, 64
KINDS = ("synergy", "vision", "language", "gated")


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """Return seconds of this process and what the work gave."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def cost(
    loaded: LoadedModel, benchmark: Benchmark, samples: tuple[Sample, ...]
) -> dict[str, object]:
    """Measure each probe on the same samples."""
    candidates = Candidates.of_model(loaded)
    with tempfile.TemporaryDirectory() as folder:
        statistics = noise_statistics(
            loaded, benchmark, scope="all", cache=Path(folder), images=VisionCache(),
            batch_size=ROWS,
        )  # fmt: skip
    found: dict[str, object] = {}
    watch = Stopwatch()
    noise = BatchRunner(
        loaded=loaded, masker=Masker(statistics=statistics, seed=0), candidates=candidates,
        images=VisionCache(), draws=DRAWS, rows_per_pass=ROWS, watch=watch,
    )  # fmt: skip
    noise.run(samples[:8])
    seconds, passes = timed(lambda: noise.run(samples).passes)
    found["noise, 4 draws"] = {"seconds": round(seconds, 2), "passes": passes}
    swaps = swaps_of(samples, partners=PARTNERS, within="subset", seed=0)
    for shares in (False, True):
        images = VisionCache()
        prefixes = SharedPrefixes(wanted=shares)
        runner = SwapRunner(
            loaded=loaded, candidates=candidates, images=images, swaps=swaps, draws=PARTNERS,
            prefixes=prefixes, rows_per_pass=ROWS,
        )  # fmt: skip
        seconds, passes = timed(lambda runner=runner: runner.run(samples).passes)
        found[f"8 partners, {'shared' if shares else 'whole'} prompts"] = {
            "seconds": round(seconds, 2),
            "passes": passes,
            "images_encoded": images.encoded,
            "beginnings": prefixes.begun,
            "prompts_from_them": prefixes.used,
        }
    return found


def world(kind: str, sure: float) -> np.ndarray:
    """P(y | x1, x2) of sources and answers with four values each."""
    p = np.full((4, 4, 4), (1 - sure) / 3)
    for a in range(4):
        for b in range(4):
            answer = {"synergy": (a + b) % 4, "vision": a, "language": b}.get(kind)
            p[a, b, (a if (a + b) % 2 else b) if answer is None else answer] = sure
    return p


def errors(worlds: int, n: int = 48) -> list[dict[str, object]]:
    """Return the mean absolute error of the atoms against the number of partners."""
    rows: list[dict[str, object]] = []
    for partners in (2, 4, 8, 16):
        plain: list[float] = []
        corrected: list[float] = []
        for number in range(worlds):
            random = np.random.default_rng([partners, number])
            kind, sure = KINDS[number % 4], (0.7, 0.9, 0.99)[number % 3]
            one, two = random.integers(0, 4, n), random.integers(0, 4, n)
            design = swap_design(list(range(n)), partners, seed=number)
            p = world(kind, sure)
            share = [np.bincount(x, minlength=4) / n for x in (one, two)]
            truth = decompose_joint(share[0][:, None, None] * share[1][None, :, None] * p).atoms
            found = estimate_interventional(p[one[design], two[None, :]], design)
            plain += [abs(found.plug_in.atoms[name] - truth[name]) for name in ATOMS]
            corrected += [abs(found.corrected[name] - truth[name]) for name in ATOMS]
        rows.append(
            {
                "partners": partners,
                "as_counted": round(float(np.mean(plain)), 4),
                "corrected": round(float(np.mean(corrected)), 4),
                "worst_corrected": round(float(np.max(corrected)), 4),
            }
        )
    return rows


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo/oracle")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--toy", type=int, default=12, help="worlds for each number of partners")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    benchmark = load_benchmark("digits_vqa")
    samples = benchmark.select(subset="synergy", split="test", limit=asked.samples)
    loaded = load(asked.model, device="cpu")
    found = {
        "model": asked.model,
        "samples": len(samples),
        "cost": cost(loaded, benchmark, samples),
        "error_bits": errors(asked.toy),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
