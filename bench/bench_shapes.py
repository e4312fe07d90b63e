"""How fast models of real shapes run, against the published way, on questions as POPE asks them.

Random weights in the shape of a 0.5 B model (a CLIP-L/14 tower at 336 pixels, 576 image tokens, and
the text stack of Qwen2-0.5B); six yes-or-no questions about each image. In one run, on the same
samples and weights: the published way (`bench_inference.peer`: sample by sample, a vision pass of
its own for the features, one `generate` per condition) on its three conditions and on five, and
PIDscope on five, prompts read whole and beginnings read once. Positions are counted beside the
time: the text stack's arithmetic is in proportion to them.

    python bench/bench_shapes.py [--images 4] [--peer-samples 3] [--draws 1 4] [--json FILE]

`--layers 2 --vision-layers 2 --vocabulary 2000` tries it out in a minute.
"""

import argparse
import io
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from bench_inference import peer
from PIL import Image

from data_cache.images import ImageFile
from data_cache.samples import Sample
from model_runners.bad_samples import BadSamples
from model_runners.batches import run_batches
from model_runners.candidates import Candidates
from model_runners.demo.build import build_tokenizer
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import CHAT_TEMPLATE
from model_runners.families import load_family
from model_runners.inference import BatchRunner
from model_runners.loading import LoadedModel, find_stack
from model_runners.masking import Masker
from model_runners.models import ModelSource
from model_runners.prefix_test import can_share
from model_runners.statistics import observe
from model_runners.stopwatch import Stopwatch
from model_runners.vision import VisionCache

OBJECTS = ("person", "car", "dog", "chair", "bottle", "traffic light")
SIDE = 336


def samples_of(images: int) -> tuple[Sample, ...]:
    """Make six questions about each of some images of noise."""
    found: list[Sample] = []
    for number in range(images):
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "PNG")
        image = ImageFile(data=written.getvalue())
        found += [
            Sample(
                id=f"{number}-{place}",
                group_id=str(number),
                images=(image,),
                question=f"Is there a {thing} in the image?",
                options=("yes", "no"),
                answer=0,
            )
            for place, thing in enumerate(OBJECTS)
        ]
    return tuple(found)


def build(arguments: argparse.Namespace) -> LoadedModel:
    """Build the model in memory."""
    from transformers import (
        CLIPImageProcessorPil,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = build_tokenizer(
        tokenizer_corpus()[:512],
        400,
        {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"},
        image_token="<image>",
    )
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}
        ),
        tokenizer=tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )
    torch.manual_seed(0)
    token = tokenizer.convert_tokens_to_ids("<image>")
    assert isinstance(token, int)
    config = LlavaConfig(
        vision_config={
            "model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
            "num_hidden_layers": arguments.vision_layers, "num_attention_heads": 16,
            "image_size": SIDE, "patch_size": 14, "projection_dim": 768,
        },
        text_config={
            "model_type": "qwen2", "vocab_size": arguments.vocabulary, "hidden_size": 896,
            "intermediate_size": 4864, "num_hidden_layers": arguments.layers,
            "num_attention_heads": 14, "num_key_value_heads": 2, "max_position_embeddings": 4096,
            "tie_word_embeddings": True, "pad_token_id": tokenizer.pad_token_id,
            "bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id,
        },
        image_token_index=token,
        vision_feature_layer=-1,
    )  # fmt: skip
    device = torch.device(arguments.device)
    model: Any = LlavaForConditionalGeneration(config)
    model = model.to(device, getattr(torch, arguments.dtype)).eval()
    family = load_family("llava")
    return LoadedModel(
        source=ModelSource(name="llava-0.5b-shape", location="nowhere", is_local=True),
        family=family,
        model=model,
        processor=processor,
        stack=find_stack(model, family),
        image_token_id=token,
        device=device,
        dtype=arguments.dtype,
        attention=str(model.config._attn_implementation),
        weights="0" * 16,
    )


def ours(runner: BatchRunner, samples: tuple[Sample, ...]) -> dict[str, Any]:
    """Time five conditions, features included."""
    fresh = replace(runner, images=VisionCache(), watch=Stopwatch())
    started = time.perf_counter()
    results = list(run_batches(fresh, samples, runner.rows_per_pass, BadSamples()))
    seconds = time.perf_counter() - started
    return {
        "samples": len(samples),
        "seconds": round(seconds, 2),
        "rate": len(samples) / seconds,
        "passes": sum(result.passes for result in results),
        "parts": {name: round(value, 2) for name, value in fresh.watch.seconds().items()},
        "counts": fresh.watch.counts,
        "images_encoded": fresh.images.encoded,
        "scores": {
            (row.sample.id, str(row.condition), row.draw): row.scores
            for result in results
            for row in result.rows
        },
    }


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the largest difference of a score between two ways."""
    mine, its = one["scores"], other["scores"]
    return max(float(np.abs(mine[key] - its[key]).max()) for key in mine)


def main() -> None:
    """Run all ways and print samples per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--peer-samples", type=int, default=3)
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--vision-layers", type=int, default=24)
    parser.add_argument("--vocabulary", type=int, default=151_936)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    os.environ["PIDSCOPE_SHARED_PREFIX"] = "always"
    loaded = build(arguments)
    samples = samples_of(arguments.images)
    statistics = observe(loaded, samples[: 6 * 2], scope="all", images=VisionCache(), batch_size=12)
    masker = Masker(statistics=statistics, seed=0)
    runner = BatchRunner(
        loaded=loaded,
        masker=masker,
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        rows_per_pass=arguments.rows,
    )
    share = can_share(runner, samples)
    results: dict[str, Any] = {
        "date": date.today().isoformat(),
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip(),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {arguments.device}, {arguments.dtype}",
        "parameters": sum(weight.numel() for weight in loaded.model.parameters()),
        "layers": [arguments.layers, arguments.vision_layers, arguments.vocabulary],
        "images": arguments.images,
        "questions_per_image": len(OBJECTS),
        "can_share": share,
        "published": {},
        "ours": {},
    }
    print(f"{results['parameters'] / 1e6:.0f} M parameters, beginnings can be shared: {share}")
    few = samples[: arguments.peer_samples]
    peer(loaded, masker, few[:1], conditions=3)
    for conditions in (3, 5):
        found = peer(loaded, masker, few, conditions=conditions)
        rate = results["published"][conditions] = found["samples"] / found["seconds"]
        print(f"published way, {conditions} conditions: {rate:.4f} samples/s", flush=True)
    for draws in arguments.draws:
        both: list[dict[str, Any]] = []
        for shares in (False, True):
            found = ours(replace(runner, draws=draws, shares=shares), samples)
            both.append(found)
            name = f"{draws} draws, {'beginnings once' if shares else 'prompts whole'}"
            results["ours"][name] = {k: v for k, v in found.items() if k != "scores"}
            ratios = {n: found["rate"] / rate for n, rate in results["published"].items()}
            results["ours"][name]["ratios"] = ratios
            print(
                f"PIDscope, five conditions, {name}: {found['rate']:.4f} samples/s, "
                f"{found['counts']['positions']} positions; {ratios[3]:.1f} times the published "
                f"way on three conditions, {ratios[5]:.1f} on five",
                flush=True,
            )
        largest = difference(*both)
        results["ours"][f"{draws} draws, largest difference of a score"] = largest
        print(f"largest difference of a score between both: {largest:.1e}")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
