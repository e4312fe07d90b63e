"""`lens`: train a tuned lens for a model on a benchmark, so that its layers can be read."""

import argparse
import json
import shlex
import sys

from data_cache import jobs, lenses
from data_cache.lenses import LensRecord
from data_cache.location import cache_directory, command, lens_path
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.foreground import do
from model_runners.commands.loading_arguments import (
    add_batch_size,
    add_loading_arguments,
    loading_of,
)
from model_runners.commands.profile import tell_started
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from
from model_runners.lens_options import LensOptions
from model_runners.lens_training import LensTraining
from model_runners.loading import DTYPES
from model_runners.loading_options import said_of
from model_runners.profile import ProfileOptions
from model_runners.prompt import MASK_SCOPES
from model_runners.prompt_templates import ANSWER_STYLES, read_template

USUAL = LensTraining()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model", required=True, help="a name of `list models`, a folder, or a hub id"
    )
    add_benchmark_arguments(parser)
    parser.add_argument(
        "--limit",
        type=int,
        default=LensOptions.samples,
        metavar="N",
        help="the first N samples of the train split, five states each "
        f"(default: {LensOptions.samples})",
    )
    same = parser.add_argument_group("as in the runs that are to be read through it")
    same.add_argument("--mask-scope", default="all", choices=MASK_SCOPES, help="default: all")
    same.add_argument("--answers", default="letters", choices=ANSWER_STYLES)
    same.add_argument("--template", metavar="NAME|FILE", help="default: standard")
    same.add_argument("--image-size", type=int, metavar="PIXELS")
    same.add_argument("--dtype", default="auto", choices=DTYPES, help="default: auto")
    add_loading_arguments(parser)
    add_batch_size(parser)
    training = parser.add_argument_group("training")
    training.add_argument(
        "--epochs",
        type=int,
        default=USUAL.epochs,
        help="passes over the states at most; a layer is done sooner where states that are held "
        f"out read no better (default: {USUAL.epochs})",
    )
    training.add_argument(
        "--rate",
        type=float,
        default=USUAL.rate,
        help=f"deviations by which a step can move a coordinate (default: {USUAL.rate})",
    )
    training.add_argument(
        "--decay",
        type=float,
        default=USUAL.decay,
        help=f"weight decay, towards the logit lens (default: {USUAL.decay})",
    )
    training.add_argument("--seed", type=int, default=0, help="of noise and order (default: 0)")
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    add_waiting_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the record as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Train it, or find that it is there, and print what it does to each layer."""
    from model_runners.jobs import open_job, start
    from model_runners.requests import check

    cache = cache_directory(arguments.cache)
    asked = ProfileOptions(
        model=arguments.model,
        benchmark=arguments.benchmark,
        data=arguments.data,
        split_policy=arguments.split_policy,
        circular=arguments.circular,
        frames=arguments.frames,
        max_bad_rows=arguments.max_bad_rows,
        seed=arguments.seed,
        **loading_of(arguments),
        dtype=arguments.dtype,
        batch_size=arguments.batch_size,
        mask_scope=arguments.mask_scope,
        answers=arguments.answers,
        image_size=arguments.image_size,
        template=None
        if arguments.template is None
        else read_template(arguments.template, arguments.answers),
    )
    options = LensOptions(
        asked=asked,
        samples=arguments.limit,
        training=LensTraining(
            epochs=arguments.epochs,
            rate=arguments.rate,
            decay=arguments.decay,
            seed=arguments.seed,
        ),
    )
    benchmark = check(asked, cache, seen=tell_rows)
    if arguments.detach:
        tell_started(cache, start(cache, options, terms=terms_from(arguments)))
        return 0
    job = open_job(cache, options)
    code = do(cache, job, benchmark=benchmark, terms=terms_from(arguments))
    if code:
        return code
    record = lenses.lens(cache, jobs.find(cache, job.job_key).result["lens"])
    assert record is not None
    if arguments.json:
        print(json.dumps(record.to_dict(), indent=1, ensure_ascii=False))
        return 0
    print("\n".join(table(record)))
    what = f"--model {shlex.quote(asked.model)} --benchmark {shlex.quote(asked.benchmark)}"
    what += "".join(f" {one}" for one in said_of(asked))
    print(
        f"in {lens_path(cache, record.key)}; read layers through it with "
        f"{command(f'profile {what} --lens tuned', cache)}",
        file=sys.stderr,
    )
    return 0


def table(record: LensRecord) -> list[str]:
    """Return the lines about a lens: how far each layer is from the output, before and after."""
    lines = [
        f"tuned lens {record.key} of {record.model} on {record.benchmark}: learned from "
        f"{record.learned} states, held to {record.held_out} others (created {record.created})",
        f"{'layer':>5}  {'logit lens':>10}  {'tuned lens':>10}  {'epochs':>6}   "
        "mean KL from the model's own output, bits",
    ]
    lines += [
        f"{fit['layer']:>5}  {fit['before']:10.3f}  {fit['after']:10.3f}  {fit['epochs']:>6}"
        for fit in record.fits
    ]
    return lines
