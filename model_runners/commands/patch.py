"""`patch`: the causal check of a run's synergy, layer by layer."""

import argparse
import json
from typing import TYPE_CHECKING

from data_cache.location import cache_directory, command
from model_runners.commands.loading_arguments import (
    add_batch_size,
    add_loading_arguments,
    loading_of,
)
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from
from model_runners.errors import BadOption
from model_runners.patching import SHARE

if TYPE_CHECKING:
    from pathlib import Path

    from data_cache.records import SpectrumRecord
    from model_runners.patch_run import PatchOptions
    from model_runners.patch_statistics import PatchCourse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = (
        "Put the last token's state of the full run into the run without its image, after one of "
        "the last layers at a time, and see how much of the full run's answer comes back. Prompt, "
        "noise, seed and precision are as of the run."
    )
    parser.add_argument(
        "--model", required=True, help="the name of a run of `list runs`, or what profile was given"
    )
    parser.add_argument("--benchmark", required=True, help="a name of `list benchmarks`, or a file")
    parser.add_argument(
        "--run", metavar="KEY", help="which run, where there are several (default: the newest)"
    )
    parser.add_argument(
        "--weights",
        metavar="FOLDER",
        help="where the model lies, for a run whose name does not say, such as a checkpoint's",
    )
    parser.add_argument("--limit", type=int, help="only the first N samples of the fixed order")
    parser.add_argument("--subset", help="only one subset")
    parser.add_argument(
        "--split", default="test", choices=["train", "test", "all"], help="default: test"
    )
    parser.add_argument("--draws", type=int, help="draws of noise (default: as many as the run)")
    parser.add_argument(
        "--share",
        type=float,
        default=SHARE,
        help=f"of the decoder layers, the last ones; 1 patches all (default: {SHARE})",
    )
    add_loading_arguments(parser)
    add_batch_size(parser)
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    add_waiting_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Patch what is missing, then print the effect of each layer."""
    from data_cache import jobs
    from model_runners.commands.foreground import do
    from model_runners.commands.profile import tell_started
    from model_runners.jobs import open_job, start
    from model_runners.patch_requests import of_stored_run
    from model_runners.patch_run import PatchOptions

    cache = cache_directory(arguments.cache)
    options = PatchOptions(
        model=arguments.model,
        benchmark=arguments.benchmark,
        run_key=arguments.run,
        weights=arguments.weights,
        split=arguments.split,
        subset=arguments.subset,
        limit=arguments.limit,
        draws=arguments.draws,
        share=arguments.share,
        **loading_of(arguments),
        batch_size=arguments.batch_size,
    )
    options = of_stored_run(options, cache)
    if arguments.detach:
        tell_started(cache, start(cache, options, terms=terms_from(arguments)))
        return 0
    job = open_job(cache, options)
    code = do(cache, job, terms=terms_from(arguments))
    if code:
        return code
    found = jobs.find(cache, job.job_key).result
    record, course = measured(cache, found["run_key"], options)
    told = ("run_key", "model", "benchmark", "depth", "computed", "seconds", "bad_samples")
    said = {name: found[name] for name in told} | {
        "split": options.split,
        "subset": options.subset or "all",
        "estimate_key": None if record is None else record.estimate_key,
    }
    if arguments.json:
        print(json.dumps(said | course.to_dict(), indent=1, ensure_ascii=False))
        return 0
    model, benchmark = found["model"], found["benchmark"]
    print(
        f"{model}  {benchmark}/{said['subset']}  run {found['run_key']}  n {course.n}  "
        f"{course.draws} draws  {found['computed']} samples patched now"
    )
    print("\n".join(table(course, found["depth"])))
    if record is None:
        print(
            "no spectrum of these samples yet, so nothing to correlate with; make one with "
            f"{command(f'estimate --model {model} --benchmark {benchmark}', cache)}"
        )
    return 0


def measured(
    cache: "Path", run_key: str, options: "PatchOptions"
) -> "tuple[SpectrumRecord | None, PatchCourse]":
    """Return the effects over the samples of the newest spectrum of what was asked for.

    Without a spectrum they are over everything that was patched of the run, and correlate with
    nothing.

    Raises
    ------
    BadOption
        If nothing was patched.
    """
    from data_cache import estimates
    from data_cache.patch_scores import patch_scores, pointwise_atoms
    from model_runners.patch_statistics import patch_course, sample_effects

    scores = patch_scores(cache, run_key)
    if scores is None:
        raise BadOption(f"nothing of the run {run_key} is patched")
    fitting = [
        one
        for one in estimates.load(
            cache,
            subsets=[options.subset or "all"],
            split=options.split,
            estimator="certified",
        )
        if one.run_key == run_key
    ]
    if fitting:
        record = max(fitting, key=lambda one: (one.settings.get("limit") is None, one.created))
        atoms = pointwise_atoms(cache, record.estimate_key)
        chosen = scores.chosen(atoms.sample_ids)
        if chosen is not None:
            tau = float(record.settings.get("tau", 0.3))
            return record, patch_course(sample_effects(chosen, tau=tau), atoms=atoms)
    return None, patch_course(sample_effects(scores))


def table(course: "PatchCourse", depth: int) -> list[str]:
    """Return the lines of the table: points of probability, and rank correlations."""
    lines = [
        f"{'layer':>9}  {'n':>5}  {'effect, points':>22}  {'of whole':>8}  {'moved, points':>22}  "
        f"{'rho with S':>20}  {'rho with U1':>20}"
    ]
    for one in course.layers:
        share = "-" if one.share != one.share else f"{one.share:.0%}"
        lines.append(
            f"{f'{one.layer} of {depth}':>9}  {one.n:>5}  "
            f"{_with(one.effect, one.interval, 100, 1):>22}  {share:>8}  "
            f"{_with(one.moved, one.moved_interval, 100, 1):>22}  "
            f"{_rho(one.synergy):>20}  {_rho(one.unique_1):>20}"
        )
    whole = _with(course.whole, course.whole_interval, 100, 1)
    return [*lines, f"{'full run':>9}  {course.n:>5}  {whole:>22}  {'100%':>8}"]


def _rho(found: object) -> str:
    from pid_core.association import Association

    if not isinstance(found, Association) or found.rho != found.rho:
        return "-"
    return _with(found.rho, found.interval, 1, 2)


def _with(value: float, interval: tuple[float, float], scale: float, digits: int) -> str:
    """Write a number with its interval.

    >>> _with(0.1234, (0.1, 0.2), 100, 1), _with(0.5, (float("nan"), float("nan")), 1, 2)
    ('12.3 (10.0 to 20.0)', '0.50')
    """
    # Adding zero takes the minus off a zero.
    number, low, high = (
        f"{round(scale * one, digits) + 0.0:.{digits}f}" for one in (value, *interval)
    )
    return number if interval[0] != interval[0] else f"{number} ({low} to {high})"
