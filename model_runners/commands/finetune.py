"""`finetune`: train a LoRA adapter on the samples a strategy picks; measure before and after."""

import argparse
import json
import sys
from dataclasses import fields
from pathlib import Path

from data_cache.location import cache_directory
from data_cache.samples import Benchmark
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.loading_arguments import add_loading_arguments
from model_runners.commands.profile import tell_started
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from
from model_runners.errors import BadOption
from model_runners.finetuning.options import SELECT, TAG, FinetuneOptions, StudyOptions
from model_runners.loading import DTYPES
from model_runners.strategies import STRATEGIES


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
        help="gap samples, and as many shortcut samples (default: a fifth of the samples each)",
    )
    parser.add_argument(
        "--select",
        choices=SELECT,
        default=usual.select,
        help="train on all samples, or on the gap and shortcut samples only (default: all)",
    )
    parser.add_argument(
        "--train-on",
        metavar="A,B=2",
        help="further benchmarks to train on, with their share of the samples beside that of "
        "--benchmark, which is 1",
    )
    parser.add_argument(
        "--evaluate-on",
        metavar="A,B",
        help="benchmarks to measure before and after on, beside --benchmark (default: those that "
        "are trained on)",
    )
    for name, meaning in (
        ("epochs", "passes over the training samples"),
        ("rank", "rank of LoRA's matrices"),
        ("batch_size", "samples of one optimiser step"),
        ("draws", "draws of noise per masked condition of the profiles"),
        ("seed", "seed of LoRA's first weights, its dropout and the order of the samples"),
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
        help="peak (default: 1e-4 at width 4096, in proportion to 1/width, 2e-3 at most)",
    )
    parser.add_argument(
        "--alpha", type=float, help="LoRA is scaled by alpha / rank (default: twice the rank)"
    )
    parser.add_argument(
        "--dropout",
        type=float,
        default=usual.dropout,
        help=f"of what goes into LoRA's matrices (default: {usual.dropout})",
    )
    parser.add_argument(
        "--early-stop",
        type=int,
        default=usual.early_stop,
        metavar="N",
        help="hold a tenth of the train split out, stop when N evaluations on it in a row were no "
        "better, and keep the best adapter (default: 0, never)",
    )
    parser.add_argument(
        "--gradient-checkpointing",
        action="store_true",
        help="compute the trained layers twice rather than keep their activations: less memory",
    )
    add_loading_arguments(parser)
    parser.add_argument(
        "--dtype", default=usual.dtype, choices=DTYPES, help="precision (default: auto)"
    )
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    add_waiting_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Do it here or in the background; where another process is at it already, follow that."""
    from data_cache import jobs
    from model_runners.commands.foreground import do
    from model_runners.finetuning import study
    from model_runners.finetuning.requests import check
    from model_runners.jobs import open_job, start

    strategies, options = chosen(arguments)
    cache = cache_directory(arguments.cache)
    several = len(strategies) > 1 or arguments.seeds != 1
    if several and arguments.lift_tag is None:  # refuse before anything is read
        StudyOptions.of(options, strategies, arguments.seeds)
    benchmark = check(options, cache, seen=tell_rows)
    if arguments.lift_tag is not None:
        options = _tagged(options, arguments.lift_tag, cache, benchmark)
    asked = StudyOptions.of(options, strategies, arguments.seeds) if several else options
    if arguments.detach:
        tell_started(cache, start(cache, asked, terms=terms_from(arguments)))
        return 0
    job = open_job(cache, asked)
    code = do(cache, job, benchmark=benchmark, terms=terms_from(arguments))
    if code:
        return code
    result = jobs.find(cache, job.job_key).result
    if arguments.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    elif several:
        print("\n".join(study.lines(study.outcomes(cache, result["adapters"]))))
    return 0


def chosen(arguments: argparse.Namespace) -> tuple[tuple[str, ...], FinetuneOptions]:
    """Return the strategies, and the options of the first training without its tag.

    Raises
    ------
    BadOption
        If the options make no sense.
    """
    given = vars(arguments)
    usual = FinetuneOptions(model="", benchmark="")
    name, strategy = given["lift_tag"], given["strategy"]
    named = tuple(one.strip() for one in strategy.split(",")) if strategy else ()
    if name is not None and strategy not in {None, TAG}:
        raise BadOption(
            f"--lift-tag belongs to the strategy 'tag'; leave out --strategy {strategy}"
        )
    measured = given["evaluate_on"]
    options = FinetuneOptions(
        **{
            field.name: given[field.name]
            for field in fields(FinetuneOptions)
            if field.name not in {"strategy", "lift_tag", "lifted", "mix", "evaluate_on"}
        },
        mix=given["train_on"],
        evaluate_on=None if measured is None else tuple(one.strip() for one in measured.split(",")),
        strategy=usual.strategy if not named or name is not None else named[0],
    )
    return ((TAG,) if name is not None else named or (usual.strategy,)), options


def _tagged(
    options: FinetuneOptions, name: str, cache: Path, benchmark: Benchmark
) -> FinetuneOptions:
    from model_runners.finetuning.requests import training_samples
    from model_runners.finetuning.tagged import lifted_of, tagged_ids, with_tag

    samples = training_samples(benchmark, options)
    found = lifted_of(name, tagged_ids(name, cache, benchmark), benchmark, samples)
    print(
        f"pidscope: {len(found.sample_ids):,} samples of the tag {name!r} weigh more"
        + "".join(f"; {sentence}" for sentence in found.left_out),
        file=sys.stderr,
    )
    return with_tag(options, name, cache, benchmark)
