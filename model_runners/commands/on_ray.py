"""How `profile --engine ray` measures a run on a cluster, and makes its spectra on the head."""

import sys
import threading
from pathlib import Path

from data_cache.location import command
from data_cache.samples import Benchmark
from model_runners.cluster.options import RayOptions
from model_runners.errors import Cancelled
from model_runners.profile import ProfileOptions
from model_runners.profile_job import estimate_parts, parts
from model_runners.profile_report import Progress
from model_runners.progress import progress
from model_runners.worker import terminated


def run_on_ray(
    options: ProfileOptions, cache: Path, benchmark: Benchmark, where: RayOptions
) -> int:
    """Measure on the cluster, ingest and estimate here; there is no row of a job.

    Raises
    ------
    Cancelled
        If SIGTERM came; finished chunks are kept.
    RunnerError, DataError
        As for `profile_on_ray`.
    """
    from model_runners.cluster.head import Telling, profile_on_ray

    stop = threading.Event()
    with progress("ray", "sample") as bar, terminated(stop):
        try:
            report = profile_on_ray(
                options,
                cache,
                benchmark,
                where,
                progress=Progress(samples=bar.to, stage=bar.name, tell=bar.tell),
                stop=stop.is_set,
            )
        except Cancelled as error:
            raise Cancelled(f"{error}; the same command goes on from there") from None
        spectra = estimate_parts(cache, report, parts(options, benchmark), Telling(bar.name, stop))
    for sentence in spectra.refused:
        print(f"  no spectrum of {sentence}", file=sys.stderr)
    print(
        f"run {report.run_key}: {report.samples} samples of {report.benchmark} through "
        f"{report.model} on a cluster, {report.computed} of them computed now; {spectra.made} "
        f"spectra; see {command('list runs', cache)}",
        file=sys.stderr,
    )
    return 0
