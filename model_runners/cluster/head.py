"""The head of a run on a Ray cluster: divides it, watches it, and alone writes to a database."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from data_cache.ingest import ingest
from data_cache.location import DATABASES_VARIABLE, ENVIRONMENT_VARIABLE
from data_cache.permission import require_writing
from data_cache.remote_spool import RemoteSpool
from data_cache.samples import Benchmark
from model_runners.cluster.options import RayOptions, ray_package
from model_runners.cluster.task import measure
from model_runners.errors import USER_ERRORS, BadOption, Cancelled, WorkerFailed
from model_runners.jobs import ROOT
from model_runners.profile import ProfileOptions, ProfileReport
from model_runners.profile_report import SILENT, Progress
from model_runners.requests import request_of
from model_runners.shards import Shard
from model_runners.unwatched import never

LOOK_SECONDS = 0.5
TASKS_PER_PLACE = 2
"""Parts for each task that fits at once: a place that is done early takes one more."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
CARRIED = (DATABASES_VARIABLE, "LMUData", "HF_HOME", "HF_HUB_OFFLINE", "PIDSCOPE_MODELS")
"""Variables of this process that its tasks get, where they are set."""


def profile_on_ray(
    options: ProfileOptions,
    cache: Path,
    benchmark: Benchmark,
    where: RayOptions,
    *,
    progress: Progress = SILENT,
    stop: Callable[[], bool] = never,
) -> ProfileReport:
    """Run a benchmark through a model on an existing cluster, and ingest what came of it.

    The parts are those of a job array (`shards`): blocks that are told apart by counting. A task
    whose node is lost is begun again by Ray elsewhere, from the chunks that are there.

    Parameters
    ----------
    options
        What to run.
    cache
        The cache folder of the head; the nodes have it too, unless `where.spool` is given.
    benchmark
        That of the options.
    where
        Where the tasks work.
    progress
        Where progress goes.
    stop
        Asked all the time; once it says so, tasks are cancelled. Their chunks are kept.

    Raises
    ------
    BadOption
        If Ray is missing, the cluster cannot be reached, or no task fits into it.
    Cancelled
        If `stop` said so.
    RunnerError, DataError
        As for `profile`, from whichever task said it first.
    WorkerFailed
        If nodes were lost more often than a task is begun again.
    """
    require_writing("start a run")
    ray = ray_package()
    asked = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
    connected = _connect(ray, where.address)
    running: dict[Any, int] = {}
    reports: list[ProfileReport] = []
    done = 0
    try:
        places = _places(ray, where)
        of = _parts(benchmark, asked, where.tasks or TASKS_PER_PLACE * places)
        progress.stage(f"{of} tasks, {places} at once")
        task = ray.remote(measure).options(
            num_cpus=where.cpus,
            num_gpus=where.gpus,
            max_retries=where.retries,
            retry_exceptions=False,
            scheduling_strategy="SPREAD",
            runtime_env={"env_vars": _environment(where, cache)},
        )
        request = request_of(options)
        for number in range(1, of + 1):
            part = Shard(number=number, of=of).part(benchmark, asked)
            running[task.remote(request, str(cache.absolute()), where.spool, number, of)] = len(
                part
            )
        progress.samples(0, len(asked))
        while running:
            if stop():
                raise Cancelled(f"stopped after {done} of {len(asked)} samples")
            ended, _ = ray.wait(list(running), timeout=LOOK_SECONDS)
            for one in ended:
                reports.append(_result(ray, one))
                done += running.pop(one)
                progress.samples(done, len(asked))
    finally:
        for one in running:
            ray.cancel(one, force=False)
        if connected:
            ray.shutdown()
    joined = _joined(reports, len(asked))
    if where.spool is not None:
        progress.stage("copying the chunks")
        RemoteSpool(where.spool).fetch(
            cache, wanted=lambda name: name.startswith((f"{joined.run_key}/", "samples/"))
        )
    progress.stage("ingest")
    ingest(cache, run_keys=[joined.run_key])
    return joined


class Telling:
    """What estimating asks of the one who reports, where there is no row of a job."""

    def __init__(self, tell: Callable[[str], None], stop: threading.Event):
        """Take where words go, and what is set when the work is to end."""
        self._tell, self.stop = tell, stop

    def say(self, message: str) -> None:
        """Take in what is being done."""
        self._tell(message)


def _connect(ray: Any, address: str) -> bool:
    """Join the cluster unless this process is in one; whether it was joined now."""
    if ray.is_initialized():
        return False
    try:
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        raise BadOption(
            f"no Ray cluster can be reached at {address!r} ({first}); start one with "
            "`ray start --head`, or give the address of its head with --ray-address"
        ) from error
    return True


def _places(ray: Any, where: RayOptions) -> int:
    """Return how many tasks fit at once, counted node by node: none spans two."""
    fitting = 0
    for node in ray.nodes():
        if node.get("Alive"):
            has = node.get("Resources", {})
            wanted = (("CPU", where.cpus), ("GPU", where.gpus))
            fitting += int(min(has.get(name, 0.0) // need for name, need in wanted if need))
    if fitting:
        return fitting
    raise BadOption(
        f"no node of the cluster has {where.cpus:g} CPUs and {where.gpus:g} GPUs for a task; see "
        "`ray status`, or ask for less with --ray-cpus and --ray-gpus"
    )


def _parts(benchmark: Benchmark, asked: Any, wanted: int) -> int:
    """Return how many parts that many tasks come to, where each has a block at least."""
    whole = Shard(number=1, of=1)
    blocks = 1
    while blocks < wanted and Shard(number=blocks + 1, of=blocks + 1).part(benchmark, asked):
        blocks += 1
    assert whole.part(benchmark, asked), "a run without samples was refused before"
    return blocks


def _environment(where: RayOptions, cache: Path) -> dict[str, str]:
    carried = {name: os.environ[name] for name in CARRIED if name in os.environ}
    carried[ENVIRONMENT_VARIABLE] = str(cache.absolute())  # one's own models stand there
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    threads = str(max(int(where.cpus), 1))
    return {**carried, "PYTHONPATH": paths, **dict.fromkeys(THREADS, threads)}


def _result(ray: Any, one: Any) -> ProfileReport:
    try:
        return ray.get(one)
    except ray.exceptions.RayTaskError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, USER_ERRORS):
            raise type(cause)(*cause.args) from error
        raise WorkerFailed(f"a task failed: {_first_line(cause or error)}") from error
    except ray.exceptions.RayError as error:
        raise WorkerFailed(
            f"a task was lost and could not be begun again ({_first_line(error)}); its finished "
            "chunks are kept, and the same command goes on from there"
        ) from error


def _joined(reports: list[ProfileReport], samples: int) -> ProfileReport:
    keys = sorted({one.run_key for one in reports})
    if len(keys) > 1:
        raise WorkerFailed(
            f"the nodes made {len(keys)} different runs of it ({', '.join(keys)}): their models, "
            "benchmarks, precision or versions differ; see `list runs`"
        )
    bad = {one["sample_id"]: one for report in reports for one in report.bad_samples}
    return replace(
        reports[0],
        samples=samples,
        computed=sum(one.computed for one in reports),
        passes=sum(one.passes for one in reports),
        inference_seconds=sum(one.inference_seconds for one in reports),
        setup_seconds=sum(one.setup_seconds for one in reports),
        bad_samples=tuple(bad.values()),
    )


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[-1] if text else 'no message'}"
