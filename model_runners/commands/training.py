"""`training`: find the checkpoints of a training, say what is measured, and run what is missing."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.location import cache_directory
from data_cache.training_runs import TrainingRun, training_runs
from data_cache.trajectories import Trajectory, trajectories, write_trajectory
from model_runners.checkpoints import FILE_NAME, find_trajectory
from model_runners.commands.benchmark_arguments import add_benchmark_arguments, tell_rows
from model_runners.commands.profile import add_run_arguments, options_from
from model_runners.errors import USER_ERRORS, BadOption, Cancelled

if TYPE_CHECKING:
    from model_runners.training_plan import Standing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source",
        nargs="*",
        metavar="SOURCE",
        help=f"a folder with {FILE_NAME} or with the Trainer's checkpoint-STEP folders, a "
        "repository on the hub (with --revisions), or the folders of several checkpoints or "
        "adapters; without one, the trainings in the cache are listed",
    )
    parser.add_argument(
        "--revisions",
        metavar="A,B,...",
        help="branches, tags or commits of the repository, whose names say their steps",
    )
    parser.add_argument("--name", help="what the training is called (default: as its folder says)")
    parser.add_argument("--list", action="store_true", help="say what is measured, and run nothing")
    parser.add_argument("--json", action="store_true", help="print a JSON list; runs nothing")
    add_benchmark_arguments(parser, required=False)
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List trainings or checkpoints, or run what is missing, one checkpoint after the other."""
    cache = cache_directory(arguments.cache)
    if not arguments.source:
        if arguments.benchmark or arguments.revisions:
            raise BadOption("name the training: a folder, or a repository with its revisions")
        return _list_trainings(cache, as_json=arguments.json)
    revisions = [one.strip() for one in (arguments.revisions or "").split(",") if one.strip()]
    trajectory = find_trajectory(arguments.source, revisions=revisions, name=arguments.name)
    write_trajectory(cache, trajectory)
    if arguments.benchmark is None:
        _tell_checkpoints(trajectory, as_json=arguments.json)
        return 0
    from model_runners.requests import check
    from model_runners.training_plan import options_for, standings

    first = trajectory.points[0]
    asked = options_from(arguments, model=first.location, checkpoint=first.checkpoint)
    benchmark = check(asked, cache, seen=tell_rows)
    found = standings(cache, trajectory, asked, benchmark)
    if arguments.json:
        print(json.dumps([one.to_dict() for one in found], indent=1, ensure_ascii=False))
        return 0
    missing = [one for one in found if not one.is_complete]
    if arguments.list:
        _tell_standings(found)
        return 0
    print(
        f"{trajectory.name} on {benchmark.name}: {len(found) - len(missing)} of {len(found)} "
        "checkpoints are measured as asked",
        file=sys.stderr,
    )
    from data_cache import queries
    from model_runners.commands.foreground import do
    from model_runners.deriving import derive
    from model_runners.jobs import open_job
    from model_runners.progress import progress

    failed = 0
    for number, one in enumerate(missing, start=1):
        print(f"{number} of {len(missing)}: {one.point.checkpoint.model}", file=sys.stderr)
        try:
            code = do(cache, open_job(cache, options_for(asked, one.point)), benchmark=benchmark)
        except Cancelled:
            raise
        except USER_ERRORS as error:  # the other checkpoints may be sound
            print(f"pidscope: {error}", file=sys.stderr)
            code = 2
        if code == 130:
            return code
        failed += code != 0
    if missing:
        on_it = {run.run_key for run in queries.runs(cache) if run.benchmark == benchmark.name}
        with progress("what pages show", "result") as bar:
            derive(cache, on_it, say=bar.name)
    if failed:
        print(
            f"pidscope: {failed} of {len(missing)} checkpoints could not be measured; the same "
            "command tries them again",
            file=sys.stderr,
        )
    return 2 if failed else 0


def _list_trainings(cache: Path, *, as_json: bool) -> int:
    from data_cache import queries

    known = trajectories(cache)
    runs = training_runs(queries.runs(cache), known)
    begun = {one.trajectory for one in runs}
    rows: list[dict[str, Any]] = [_row_of(one) for one in runs]
    rows += [
        {
            "training": one.name,
            "benchmark": "",
            "checkpoints": len(one.points),
            "measured": 0,
            "stages": list(one.stages),
            "source": list(one.source),
        }
        for one in known
        if one.name not in begun
    ]
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    if not rows:
        print(f"no training in {cache}; name one: python -m model_runners training FOLDER")
        return 0
    width = max(len("training"), *(len(row["training"]) for row in rows))
    wide = max(len("benchmark"), *(len(row["benchmark"]) for row in rows))
    print(f"{'training':<{width}}  {'benchmark':<{wide}}  measured  stages")
    for row in rows:
        share = f"{row['measured']}/{row['checkpoints']}"
        stages = ", ".join(filter(None, row["stages"]))
        print(f"{row['training']:<{width}}  {row['benchmark']:<{wide}}  {share:>8}  {stages}")
    return 0


def _row_of(one: TrainingRun) -> dict[str, Any]:
    return {
        "training": one.trajectory,
        "benchmark": one.benchmark,
        "checkpoints": len(one.points),
        "measured": len(one.measured),
        "stages": list(one.stages),
        "source": list(one.known.source) if one.known else [],
    }


def _tell_checkpoints(trajectory: Trajectory, *, as_json: bool) -> None:
    rows = [
        {
            "model": point.checkpoint.model,
            **point.checkpoint.to_dict(),
            "location": point.location,
        }
        for point in trajectory.points
    ]
    if as_json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    stages = ", ".join(filter(None, trajectory.stages))
    print(f"{trajectory.name}: {len(rows)} checkpoints{f' in {stages}' if stages else ''}")
    for row in rows:
        print(f"  {row['step']:>10}  {row['stage']:<12}  {row['location']}")


def _tell_standings(found: "Sequence[Standing]") -> None:
    print(f"{'step':>10}  {'stage':<12}  {'samples':>13}  spectra  run")
    for one in found:
        point = one.point.checkpoint
        samples = f"{one.measured}/{one.wanted}"
        state = one.run_key or "-"
        rest = "" if one.is_complete else "  to do"
        print(
            f"{point.step:>10}  {point.stage:<12}  {samples:>13}  {one.spectra:>7}  {state}{rest}"
        )
