"""What it costs to read every layer, beside reading the last one, on the same samples and weights.

Both ways go through `profile`, from the samples to the rows in the database, one after the other in
turn, so that a busy machine slows both. Counted is processor time (one thread), the least of some
turns. The lens is one product with the head per layer and row, whatever the prompt's length; the
model's own work grows with that length. So short prompts and a large vocabulary are the hardest
case, and one is among the models.

    python bench/bench_layers.py [--samples 64] [--turns 3] [--json FILE]
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from data_cache.benchmarks import load_benchmark
from data_cache.samples import Benchmark
from model_runners.demo.build import AbstractTinyModel, save
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_internvl import TinyInternVL
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.lens_options import LensOptions
from model_runners.lens_training import LensTraining
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, profile
from model_runners.stored_lenses import tune

WANTED = 1.3


@dataclass(frozen=True, kw_only=True)
class Case:
    """One model, random weights: what they are changes no time."""

    name: str
    size: AbstractTinyModel
    vocabulary: int | None = None
    """Words of the head; None keeps the tokenizer's few hundred."""


CASES = (
    Case(
        name="LLaVA",
        size=TinyLlava(hidden=64, vision_layers=2, language_layers=8, heads=4),
    ),
    Case(
        name="Qwen2.5-VL",
        size=TinyQwen2_5_VL(hidden=64, vision_layers=2, language_layers=8, heads=4),
    ),
    Case(
        name="InternVL",
        size=TinyInternVL(hidden=64, vision_layers=2, language_layers=8, heads=4),
    ),
    Case(
        name="LLaVA, 32,000 words",
        size=TinyLlava(hidden=64, vision_layers=2, language_layers=8, heads=4),
        vocabulary=32_000,
    ),
)


def build(case: Case, folder: Path) -> LoadedModel:
    """Write the model of a case in the ordinary layout and load it."""
    processor = case.size.build_processor(tokenizer_corpus()[:512])
    model = case.size.build_model(processor, seed=0).eval()
    if case.vocabulary is not None:
        model.resize_token_embeddings(case.vocabulary, mean_resizing=False)
    save(model, processor, folder)
    return load(str(folder), device="cpu")


def measure(
    loaded: LoadedModel, benchmark: Benchmark, samples: int, turns: int, cache: Path
) -> dict[str, Any]:
    """Time both ways in turn, and the tuned lens; returns seconds of processor time."""
    asked = {
        "model": str(loaded.source.location), "benchmark": benchmark.name, "split": "test",
        "draws": 1, "device": "cpu",
    }  # fmt: skip

    def once(seed: int, **how: Any) -> tuple[float, float, int]:
        options = ProfileOptions(**asked, seed=seed, limit=samples, **how)
        started, walled = time.process_time(), time.perf_counter()
        passes = profile(options, cache, benchmark=benchmark, loaded=loaded).passes
        return time.process_time() - started, time.perf_counter() - walled, passes

    options = ProfileOptions(**asked, limit=samples)
    profile(options, cache, benchmark=benchmark, loaded=loaded)  # the noise statistics, and warm
    training = LensTraining(epochs=2)
    tune(
        LensOptions(asked=options, samples=32, training=training),
        cache,
        benchmark=benchmark,
        loaded=loaded,
    )
    ways: dict[str, dict[str, Any]] = {
        "last": {}, "every": {"layers": True}, "tuned": {"lens": "tuned"},
    }  # fmt: skip
    spent: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for turn in range(turns):
        for place, (name, how) in enumerate(ways.items()):
            # Noise of its own: a run that has chunks already would be widened, not measured.
            spent[name].append(once(1 + turn * len(ways) + place, **how))
    least = {name: min(seconds for seconds, _, _ in of) for name, of in spent.items()}
    return {
        "layers": len(loaded.stack.layers),
        "hidden": int(loaded.model.config.get_text_config().hidden_size),
        "vocabulary": next(loaded.stack.head.parameters()).shape[0],
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "passes": spent["last"][0][2],
        "processor_seconds": {name: [round(one[0], 3) for one in of] for name, of in spent.items()},
        "wall_seconds": {name: [round(one[1], 3) for one in of] for name, of in spent.items()},
        "least": least,
        "ratio": least["every"] / least["last"],
        "ratio_tuned": least["tuned"] / least["last"],
    }


def main() -> None:
    """Measure every case and print what a layer more costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    benchmark = load_benchmark("digits_vqa")
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": f"{platform.machine()}, 1 thread, torch {torch.__version__}",
        "samples": arguments.samples,
        "wanted": WANTED,
        "cases": {},
    }
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(CASES):
            loaded = build(case, Path(folder) / f"model-{number}")
            measured = measure(
                loaded, benchmark, arguments.samples, arguments.turns, Path(folder) / f"{number}"
            )
            results["cases"][case.name] = measured
            print(
                f"{case.name}: {measured['layers']} layers, {measured['vocabulary']} words, "
                f"{measured['passes']} passes: last layer {measured['least']['last']:.2f} s, every "
                f"layer {measured['least']['every']:.2f} s ({measured['ratio']:.2f} times), tuned "
                f"lens {measured['least']['tuned']:.2f} s ({measured['ratio_tuned']:.2f} times)",
                flush=True,
            )
            if arguments.json:
                arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
