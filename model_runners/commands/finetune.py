"""`finetune`: train a LoRA adapter on the samples a strategy picks; measure before and after."""

import argparse
import json
import sys
from dataclasses import fields

from data_cache.location import cache_directory
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.profile import tell_started
from model_runners.errors import BadOption
from model_runners.finetuning.options import FinetuneOptions
from model_runners.loading import DTYPES
from model_runners.strategies import STRATEGIES

TAG = "tag"
"""The strategy of `--lift-tag`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    usual = FinetuneOptions(model="", benchmark="")
    parser.description = (
        "Train LoRA matrices on the last fifth of the language layers, on train-split samples "
        "weighed by a strategy; then profile the model before and after on the test split. "
        "What is done already is not done again."
    )
    parser.add_argument(
        "--model", required=True, help="the base: a name of `list models`, a folder, or a hub id"
    )
    add_benchmark_arguments(parser)
    parser.add_argument(
        "--strategy",
        help=f"how samples weigh: {', '.join(STRATEGIES)}, or several with commas between (see "
        f"`list strategies`; default: {usual.strategy}, or tag where --lift-tag is given)",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        help="train so often, with --seed and the seeds after it, and show what each strategy "
        "comes to (default: 1)",
    )
    parser.add_argument(
        "--lift-tag",
        metavar="NAME",
        help="give the train samples that carry this tag the weight 3 (see `slices list`); its "
        "test samples are left out",
    )
    parser.add_argument("--subset", help="train on one subset only")
    parser.add_argument("--limit", type=int, help="train on the first N train-split samples only")
    parser.add_argument(
        "--top",
        type=int,
        help="gap samples, and as many shortcut samples (default: a quarter of the samples each)",
    )
    for name, meaning in (
        ("epochs", "passes over the training samples"),
        ("rank", "rank of LoRA's matrices"),
        ("batch_size", "samples of one optimiser step"),
        ("draws", "draws of noise per masked condition of the profiles"),
        ("seed", "seed of LoRA's first weights and of the order of the samples"),
    ):
        default = getattr(usual, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            default=default,
            help=f"{meaning} (default: {default})",
        )
    parser.add_argument(
        "--micro-batch",
        type=int,
        help="samples of one forward pass; they add up to the batch (default: the batch size)",
    )
    parser.add_argument(
        "--learning-rate",
        type=float,
        help="peak (default: 2e-4 at width 4096, in proportion to 1/width, 2e-3 at most)",
    )
    parser.add_argument(
        "--device", default=usual.device, help="auto, cpu, cuda or cuda:N (default: auto)"
    )
    parser.add_argument(
        "--dtype", default=usual.dtype, choices=DTYPES, help="precision (default: auto)"
    )
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it here or in the background; where another process is at it already, follow that."""
    given = vars(arguments)
    usual = FinetuneOptions(model="", benchmark="")
    name, strategy = given["lift_tag"], given["strategy"]
    named = [one.strip() for one in strategy.split(",")] if strategy else []
    if name is not None and strategy not in {None, TAG}:
        raise BadOption(
            f"--lift-tag belongs to the strategy 'tag'; leave out --strategy {strategy}"
        )
    options = FinetuneOptions(
        **{
            field.name: given[field.name]
            for field in fields(FinetuneOptions)
            if field.name not in {"strategy", "lift_tag", "lifted"}
        },
        strategy=usual.strategy if not named or name is not None else named[0],
    )
    from data_cache import jobs
    from model_runners.finetuning import study
    from model_runners.finetuning.requests import check, training_samples
    from model_runners.finetuning.tagged import lifted_of, tagged_ids, with_tag
    from model_runners.jobs import open_job, start

    several = len(named) > 1 or arguments.seeds != 1
    if several and arguments.detach:
        raise BadOption("--detach starts one training; give one --strategy and no --seeds")
    cache = cache_directory(arguments.cache)
    benchmark = check(options, cache, seen=tell_rows)
    if name is not None:
        samples = training_samples(benchmark, options)
        found = lifted_of(name, tagged_ids(name, cache, benchmark), benchmark, samples)
        print(
            f"pidscope: {len(found.sample_ids):,} samples of the tag {name!r} weigh more"
            + "".join(f"; {sentence}" for sentence in found.left_out),
            file=sys.stderr,
        )
        options = with_tag(options, name, cache, benchmark)
    if arguments.detach:
        tell_started(cache, start(cache, options))
        return 0
    from model_runners.commands.foreground import do

    strategies = named if len(named) > 1 else [options.strategy]
    asked = list(study.trainings(options, strategies, arguments.seeds))
    results = []
    for number, one in enumerate(asked, start=1):
        if several:
            said = f"{number} of {len(asked)}: {one.strategy}, seed {one.seed}"
            print(f"pidscope: training {said}", file=sys.stderr)
        job = open_job(cache, one)
        code = do(cache, job, benchmark=benchmark)
        if code:
            return code
        results.append(jobs.find(cache, job.job_key).result)
    found = study.outcomes(cache, [one["adapter"] for one in results]) if several else []
    if arguments.json:
        told = {"trainings": results, "outcomes": study.as_json(found)} if several else results[0]
        json.dump(told, sys.stdout, indent=1)
        print()
    elif several:
        print("\n".join(study.lines(found)))
    return 0
