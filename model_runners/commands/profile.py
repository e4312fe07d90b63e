"""`profile`: run a benchmark through a model, under all conditions, and estimate its spectra."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.checkpoints import Checkpoint
from data_cache.location import cache_directory, command
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.loading_arguments import (
    add_batch_size,
    add_loading_arguments,
    loading_of,
)
from model_runners.commands.ray_arguments import add_ray_arguments, ray_options
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from
from model_runners.errors import BadOption
from model_runners.external.spec import ADAPTERS
from model_runners.inference import POOLINGS
from model_runners.lens_options import LOGIT
from model_runners.loading import DTYPES
from model_runners.profile import ProfileOptions
from model_runners.prompt import MASK_SCOPES
from model_runners.prompt_templates import ANSWER_STYLES, TEMPLATES, read_template
from model_runners.shards import shard_from
from model_runners.sources import SOURCES, USUAL_SOURCES
from model_runners.swapping import PARTNERS, PROBES, WITHIN

if TYPE_CHECKING:
    from data_cache.jobs import JobRow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--model", required=True, help="a name of `list models`, a folder, or a hub id"
    )
    add_benchmark_arguments(parser)
    add_run_arguments(parser)
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    add_waiting_arguments(parser)
    parser.add_argument(
        "--shard",
        metavar="I/N",
        help="only every N-th block of samples, for task I of a job array: chunks go into the "
        "spool, which any number of machines may share, and `ingest` collects them afterwards",
    )
    add_ray_arguments(parser)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be chosen about a run beside its model and its benchmark."""
    parser.add_argument("--limit", type=int, help="only the first N samples of the fixed order")
    parser.add_argument("--subset", help="only one subset")
    parser.add_argument(
        "--split", default="all", choices=["train", "test", "all"], help="default: all"
    )
    parser.add_argument(
        "--draws", type=int, default=4, help="draws of noise per masked condition (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the noise (default: 0)")
    add_probe_arguments(parser)
    add_loading_arguments(parser)
    parser.add_argument("--dtype", default="auto", choices=DTYPES, help="precision (default: auto)")
    add_batch_size(parser)
    parser.add_argument(
        "--layers", action="store_true", help="also read every layer through the lens"
    )
    parser.add_argument(
        "--lens",
        default=LOGIT,
        metavar="logit|tuned|KEY",
        help="how layers are read: as if each were the last, or through a map that `lens` has "
        "trained for this model, the newest or that of a key (implies --layers; default: logit)",
    )
    parser.add_argument(
        "--layer-features",
        action="store_true",
        help="also keep what image and text positions hold after every layer (implies --layers)",
    )
    parser.add_argument(
        "--mask-scope",
        default="all",
        choices=MASK_SCOPES,
        help="which text is masked (default: all)",
    )
    parser.add_argument(
        "--answers",
        default="letters",
        choices=ANSWER_STYLES,
        help="score the options' letters, the options' own words, or Yes and No (default: letters)",
    )
    parser.add_argument(
        "--template",
        metavar="NAME|FILE",
        help="how a question is put: "
        + "; ".join(f"{name}, {template.summary}" for name, template in TEMPLATES.items())
        + "; or a text file (or the text itself) with {question} and {options} (default: standard)",
    )
    parser.add_argument(
        "--sources",
        default=USUAL_SOURCES,
        choices=SOURCES,
        help="the two parts of a prompt whose information is told apart; video-audio masks what is "
        f"seen and what is heard and leaves the text (default: {USUAL_SOURCES})",
    )
    parser.add_argument(
        "--pooling",
        default="mean",
        choices=POOLINGS,
        help="how image and text embeddings become one vector each, for the estimators that read "
        "them (default: mean)",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        metavar="PIXELS",
        help="make every image a square of this side first, so that all have as many tokens "
        "(masking hides what an image shows, not its size)",
    )
    parser.add_argument(
        "--worker",
        metavar="PYTHON",
        help="run the model in another environment, by its python (docs/external-worker.md)",
    )
    parser.add_argument(
        "--worker-adapter",
        metavar="NAME[:CONVERSATION]|FILE",
        help=f"how the model takes its inputs there: {', '.join(ADAPTERS)}, or a file of your own",
    )
    parser.add_argument(
        "--worker-code", metavar="DIR", help="the folder of the repository with the model's code"
    )


def add_probe_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what takes a source away."""
    parser.add_argument(
        "--probe",
        default="gaussian",
        choices=PROBES,
        help="noise in the place of image or text; or the images of other samples, for the "
        "interventional spectrum: a run of its own (default: gaussian)",
    )
    parser.add_argument(
        "--partners",
        type=int,
        default=PARTNERS,
        metavar="M",
        help=f"other images that each question is asked about (default: {PARTNERS})",
    )
    parser.add_argument(
        "--partners-within",
        default="subset",
        choices=tuple(WITHIN),
        help="where they come from, always of the same split: "
        + "; ".join(f"{name}: {meaning}" for name, meaning in WITHIN.items())
        + " (default: subset)",
    )
    parser.add_argument(
        "--swap-seed", type=int, default=0, help="seed of who meets whom (default: 0)"
    )


def options_from(
    arguments: argparse.Namespace, *, model: str, checkpoint: Checkpoint | None = None
) -> ProfileOptions:
    """Return the options of a run of that model, as the arguments ask for it."""
    return ProfileOptions(
        model=model,
        checkpoint=checkpoint,
        benchmark=arguments.benchmark,
        data=arguments.data,
        split_policy=arguments.split_policy,
        circular=arguments.circular,
        frames=arguments.frames,
        max_bad_rows=arguments.max_bad_rows,
        limit=arguments.limit,
        subset=arguments.subset,
        split=arguments.split,
        draws=arguments.draws,
        probe=arguments.probe,
        partners=arguments.partners,
        partners_within=arguments.partners_within,
        swap_seed=arguments.swap_seed,
        seed=arguments.seed,
        **loading_of(arguments),
        dtype=arguments.dtype,
        batch_size=arguments.batch_size,
        layers=arguments.layers,
        lens=arguments.lens,
        layer_features=arguments.layer_features,
        mask_scope=arguments.mask_scope,
        answers=arguments.answers,
        sources=arguments.sources,
        pooling=arguments.pooling,
        image_size=arguments.image_size,
        worker=arguments.worker,
        worker_adapter=arguments.worker_adapter,
        worker_code=arguments.worker_code,
        template=None
        if arguments.template is None
        else read_template(arguments.template, arguments.answers),
    )


def run(arguments: argparse.Namespace) -> int:
    """Do it here or in the background; where another process is at it already, follow that."""
    options = options_from(arguments, model=arguments.model)
    from model_runners.jobs import open_job, start
    from model_runners.requests import check

    cache = cache_directory(arguments.cache)
    shard = None if arguments.shard is None else shard_from(arguments.shard)
    where = ray_options(arguments)
    if where is not None and (shard is not None or arguments.detach):
        raise BadOption("a run on a cluster is followed from here: leave out --detach and --shard")
    if shard is not None and arguments.detach:
        raise BadOption("a shard runs here: leave out --detach, or --shard")
    benchmark = check(options, cache, seen=tell_rows)
    if shard is not None:
        from model_runners.commands.sharded import run_shard

        return run_shard(options, cache, benchmark, shard)
    if where is not None:
        from model_runners.commands.on_ray import run_on_ray

        return run_on_ray(options, cache, benchmark, where)
    if arguments.detach:
        tell_started(cache, start(cache, options, terms=terms_from(arguments)))
        return 0
    from model_runners.commands.foreground import do

    job = open_job(cache, options)
    return do(cache, job, benchmark=benchmark, terms=terms_from(arguments))


def tell_started(cache: Path, job: "JobRow") -> None:
    """Print the key of a job in the background, and on stderr what can be done with it."""
    print(
        f"{job.title}: {job.state} (process {job.pid}), log in {job.log_path}; "
        f"see {command('list jobs', cache)}; stop it with "
        f"{command(f'cancel {job.job_key}', cache)}",
        file=sys.stderr,
    )
    print(job.job_key)
