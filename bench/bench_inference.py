"""How fast the five conditions are, against the way they are computed today, on the same weights.

The peer does what the published scripts do (Xiu26, stage 2): one sample at a time, a vision pass of
its own for the features, and one `generate(max_new_tokens=1, output_scores=True)` call per
condition, the masked ones through `inputs_embeds`. It is written anew here from the description of
that procedure.

    python bench/bench_inference.py [--samples 512] [--peer-samples 64] [--json FILE]
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch

from data_cache.benchmarks import load_benchmark
from data_cache.samples import Sample
from model_runners.bad_samples import BadSamples
from model_runners.batches import run_batches
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.inference import BatchRunner
from model_runners.loading import LoadedModel, load
from model_runners.masking import Masker, draw_noise
from model_runners.statistics import observe, statistics_samples
from model_runners.vision import VisionCache, by_image, to_device


def ours(
    loaded: LoadedModel, masker: Masker, samples: tuple[Sample, ...], rows: int
) -> dict[str, float]:
    """Time five conditions, one draw, features included."""
    runner = BatchRunner(
        loaded=loaded,
        masker=masker,
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        draws=1,
        rows_per_pass=rows,
    )
    started = time.perf_counter()
    passes = sum(result.passes for result in run_batches(runner, samples, rows, BadSamples()))
    seconds = time.perf_counter() - started
    return {"samples": len(samples), "seconds": seconds, "passes": passes}


def peer(
    loaded: LoadedModel, masker: Masker, samples: tuple[Sample, ...], *, conditions: int = 5
) -> dict[str, float]:
    """Time the published way: sample by sample, `generate` per condition.

    Its own conditions are three: full, text masked, image masked. Of five the others are both
    masked and the prompt without its image.
    """
    model: Any = loaded.model
    started = time.perf_counter()
    passes = 0
    for sample in samples:
        batch = encode(loaded.processor, [sample], image_token_id=loaded.image_token_id)
        inputs = to_device(batch.inputs, loaded)
        text, vision = batch.text.to(loaded.device), batch.vision.to(loaded.device)
        with torch.no_grad():
            features = torch.cat(
                list(
                    model.model.get_image_features(
                        **by_image(loaded.family, inputs)[0]
                    ).pooler_output
                )
            )
            words = model.get_input_embeddings()(inputs["input_ids"])
            merged = words.masked_scatter(vision[..., None], features.to(words))
            for hidden in (None, text, vision, text | vision)[: min(conditions, 4)]:
                if hidden is None:
                    call = dict(inputs)
                else:
                    edited = merged.clone()
                    moments = (
                        masker.statistics.vision if hidden is vision else masker.statistics.text
                    )
                    edited[hidden] = draw_noise(moments, int(hidden.sum()), 0).to(edited)
                    call = {"inputs_embeds": edited, "attention_mask": inputs["attention_mask"]}
                model.generate(
                    **call,
                    max_new_tokens=1,
                    do_sample=False,
                    output_scores=True,
                    return_dict_in_generate=True,
                )
                passes += 1
            if conditions < 5:
                continue
            plain = encode(
                loaded.processor, [sample], image_token_id=loaded.image_token_id, with_image=False
            )
            model.generate(
                **to_device(plain.inputs, loaded),
                max_new_tokens=1,
                do_sample=False,
                output_scores=True,
                return_dict_in_generate=True,
            )
            passes += 1
    return {"samples": len(samples), "seconds": time.perf_counter() - started, "passes": passes}


def main() -> None:
    """Run both and print samples per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo/oracle")
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--peer-samples", type=int, default=64)
    parser.add_argument("--rows", type=int, nargs="+", default=[16, 32, 64, 128])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    benchmark = load_benchmark("digits_vqa")
    loaded = load(arguments.model)
    statistics = observe(
        loaded, statistics_samples(benchmark), scope="all", images=VisionCache(), batch_size=64
    )
    masker = Masker(statistics=statistics, seed=0)
    samples = benchmark.select(split="test", limit=arguments.samples)
    ours(loaded, masker, samples[:64], 64)
    peer(loaded, masker, samples[:4])
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": (
            f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        ),
        "model": loaded.name,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "ours": {},
    }
    for rows in arguments.rows:
        measured = ours(loaded, masker, samples, rows)
        results["ours"][rows] = measured
        print(
            f"PIDscope, {rows:4d} rows per pass: {measured['samples']} samples x 5 conditions in "
            f"{measured['seconds']:.2f} s = "
            f"{measured['samples'] / measured['seconds']:.1f} samples/s"
        )
    measured = peer(loaded, masker, samples[: arguments.peer_samples])
    results["peer"] = measured
    rate = measured["samples"] / measured["seconds"]
    print(
        f"published way: {measured['samples']} samples x 5 conditions in "
        f"{measured['seconds']:.2f} s = {rate:.1f} samples/s"
    )
    best = max(run["samples"] / run["seconds"] for run in results["ours"].values())
    print(f"ratio: {best / rate:.1f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
