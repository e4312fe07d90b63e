"""`plan`: say what memory a run would take, and whether it fits, before anything is loaded."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from data_cache.location import cache_directory
from data_cache.samples import Sample
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.profile import add_run_arguments, options_from
from model_runners.errors import UnsupportedModel
from model_runners.profile import ProfileOptions

LOOKED_AT = 16
"""Samples whose prompts are really made, those with the longest text."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options: those of the run that is planned."""
    parser.add_argument(
        "--model", required=True, help="a name of `list models`, a folder, or a hub id"
    )
    add_benchmark_arguments(parser)
    add_run_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the plan; 0 where the run fits or nobody knows, 1 where it does not."""
    from model_runners.memory import plan_here, sentence, shapes_of
    from model_runners.requests import check

    options = options_from(arguments, model=arguments.model)
    benchmark = check(options, cache_directory(arguments.cache), seen=tell_rows)
    shapes = shapes_of(options.model)
    if shapes is None:
        raise UnsupportedModel(
            f"the weights of {options.model} are not on this machine, so their shapes are not "
            f"known; bring them here with `hf download`, or see the size in `list models`"
        )
    wanted = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    counted = None if options.worker else measured_lengths(options, wanted)
    found = plan_here(options, wanted, shapes=shapes, lengths=counted)
    assert found is not None
    planned, _ = found
    if arguments.json:
        values: dict[str, Any] = asdict(planned) | {
            "total": planned.total,
            "fits": planned.fits,
            "rows_that_fit": planned.rows_that_fit,
            "parameters": shapes.parameters,
        }
        print(json.dumps(values, indent=1))
    else:
        print(sentence(planned, options, shapes))
    return 1 if planned.fits is False else 0


def measured_lengths(options: ProfileOptions, samples: "tuple[Sample, ...]") -> Any:
    """Count the tokens of the longest prompts with the model's own processor, without its weights.

    Returns
    -------
    Lengths or None
        None where the processor cannot be had, or takes none of them.
    """
    from pathlib import Path

    import transformers

    from model_runners import hub
    from model_runners.asking import user_text
    from model_runners.errors import BadSample
    from model_runners.families import is_written, load_family
    from model_runners.memory import Lengths
    from model_runners.models import resolve_model
    from model_runners.processors import load_processor

    source = resolve_model(options.model)
    folder = Path(source.location) if source.is_local else hub.stored_model(source.location)
    if folder is None:
        return None

    def length(sample: Sample) -> int:
        try:
            return len(user_text(sample, options.asking))
        except BadSample:
            return 0

    chosen = sorted(samples, key=length)[-LOOKED_AT:]
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), trust_remote_code=False)
        language = getattr(getattr(config, "text_config", None), "model_type", None)
        written = is_written(config.model_type, language)
        processor = load_processor(
            str(folder), load_family(config.model_type, language) if written else None
        )
        token = next(
            (getattr(config, name) for name in ("image_token_id", "image_token_index")
             if isinstance(getattr(config, name, None), int)), -1,
        )  # fmt: skip
        text, image = _counted(processor, chosen, options, token)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, UnsupportedModel):
        return None
    if not text:
        return None
    return Lengths(text=text, image=image, basis=f"counted on the {len(chosen)} longest")


def _counted(processor: Any, samples: Any, options: ProfileOptions, token: int) -> tuple[int, int]:
    """Return the most tokens beside the image, and of the image, in any of the prompts."""
    from model_runners.encoding import encode
    from model_runners.errors import BadSample

    text = image = 0
    for sample in samples:
        try:
            batch = encode(
                processor, [sample], image_token_id=token, scope=options.mask_scope,
                asking=options.asking,
            )  # fmt: skip
        except BadSample:
            continue
        seen = int(batch.vision.sum())
        text, image = max(text, int(batch.lengths[0]) - seen), max(image, seen)
    return text, image
