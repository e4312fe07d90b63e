"""Whether a run's memory grows with its samples, and how long it takes from model to spectrum.

Two parts, each size in a process of its own whose peak of memory is read at its end.

*Memory*: `profile` of 1,000 and of 50,000 samples of a made-up benchmark (JSON lines beside PNG
files, six questions a picture; a short question and four short options, so that 50,000 fit into a
bench: what a longer text would add is kept by the benchmark, not by the run) through a small LLaVA
of random weights, one draw. Expected: the larger within 10 % of the smaller.

*Spectrum*: 1,083 samples of the demo's benchmark (as many as MMBench's test split has) through
`demo/oracle`, from start to spectra without intervals. Expected: under 60 s on two cores, of which
the estimation takes under 5 s.

    python bench/bench_memory.py [--sizes 1000 50000] [--spectrum 1083] [--draws 4] [--json FILE]
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PER_IMAGE = 6
SIDE = 32


def made_up(folder: Path, samples: int) -> Path:
    """Write a benchmark of questions about small pictures of noise."""
    import numpy as np
    import PIL.Image

    (folder / "images").mkdir(parents=True)
    for number in range(samples // PER_IMAGE + 1):
        pixels = np.random.default_rng(number).integers(0, 255, (SIDE, SIDE), np.uint8)
        PIL.Image.fromarray(pixels).save(folder / "images" / f"{number:06d}.png")
    path = folder / "made_up.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(samples):
            row = {
                "id": str(number),
                "image": f"images/{number // PER_IMAGE:06d}.png",
                "group_id": str(number // PER_IMAGE),
                "question": f"What is it, no. {number}?",
                "A": "cup", "B": "boat", "C": "bird", "D": "none",
                "answer": "ABCD"[number % 4],
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return path


def model(folder: Path) -> Path:
    """Write a small LLaVA of random weights."""
    from model_runners.demo.build import save
    from model_runners.demo.recipes import tokenizer_corpus
    from model_runners.demo.tiny_llava import TinyLlava

    size = TinyLlava(hidden=32, vision_layers=1, language_layers=2, heads=2)
    processor = size.build_processor(tokenizer_corpus()[:64])
    save(size.build_model(processor, seed=1).eval(), processor, folder)
    return folder


def peak() -> float:
    """Return the most memory that this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one_size(benchmark: Path, weights: Path, cache: Path) -> dict[str, Any]:
    """Profile a benchmark whole; in a process of its own."""
    from model_runners.benchmark_choice import load_asked
    from model_runners.profile import ProfileOptions, profile

    options = ProfileOptions(
        model=str(weights), benchmark=str(benchmark), draws=1, device="cpu", batch_size=64
    )
    loaded = load_asked(options, cache)
    after_benchmark = peak()
    started = time.perf_counter()
    report = profile(options, cache, benchmark=loaded)
    return {
        "samples": report.samples,
        "seconds": round(time.perf_counter() - started, 1),
        "peak_mib": round(peak(), 1),
        "peak_of_reading_mib": round(after_benchmark, 1),
    }


def spectrum(samples: int, draws: int, cache: Path) -> dict[str, Any]:
    """Profile the demo and estimate its spectra without intervals; in a process of its own."""
    from data_cache.run_times import times_of
    from model_runners.estimation import EstimateOptions, choose_run, estimate_run
    from model_runners.profile import ProfileOptions, profile

    options = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", split="test", limit=samples, draws=draws,
        device="cpu",
    )  # fmt: skip
    report = profile(options, cache)
    started = time.perf_counter()
    run = choose_run(cache, model=report.model, benchmark=report.benchmark, run_key=report.run_key)
    found = estimate_run(cache, run, EstimateOptions(by="none"))
    return {
        "samples": report.samples,
        "draws": draws,
        "estimation_seconds": round(time.perf_counter() - started, 2),
        "spectra": len(found),
        "where": times_of(cache, report.run_key)[-1].parts,
    }


def own_process(*words: str) -> dict[str, Any]:
    """Run this file for one measurement and return what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, __file__, "--one", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) | {
        "wall_seconds": round(time.perf_counter() - started, 1)
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure both parts."""
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "memory": [],
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = model(folder / "model")
        for samples in arguments.sizes:
            path = made_up(folder / f"b{samples}", samples)
            found = own_process("memory", str(path), str(weights), str(folder / f"c{samples}"))
            results["memory"].append(found)
            print(
                f"{found['samples']} samples: {found['peak_mib']:.0f} MiB at most "
                f"({found['peak_of_reading_mib']:.0f} once the benchmark was read), "
                f"{found['seconds']:.0f} s",
                flush=True,
            )
        if len(results["memory"]) > 1:
            first, *_, last = results["memory"]
            results["growth"] = last["peak_mib"] / first["peak_mib"] - 1
            print(f"growth: {results['growth']:.1%}")
        if arguments.spectrum:
            found = own_process(
                "spectrum", str(arguments.spectrum), str(arguments.draws), str(folder / "demo")
            )
            results["spectrum"] = found
            print(
                f"{found['samples']} samples from start to {found['spectra']} spectrum: "
                f"{found['wall_seconds']:.1f} s, estimation {found['estimation_seconds']:.2f} s of "
                f"it, {found['draws']} draws"
            )
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1000, 50_000])
    parser.add_argument("--spectrum", type=int, default=1083)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        kind, *words = arguments.one
        done = (
            one_size(*(Path(word) for word in words))
            if kind == "memory"
            else spectrum(int(words[0]), int(words[1]), Path(words[2]))
        )
        print(json.dumps(done))
        return
    results = measure(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
