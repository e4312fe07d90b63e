"""How `profile --shard` measures its part of a run: in the foreground, without a job."""

import sys
import threading
from pathlib import Path

from data_cache.location import command
from data_cache.samples import Benchmark
from model_runners.errors import Cancelled
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.progress import progress
from model_runners.shards import Shard
from model_runners.worker import terminated


def run_shard(options: ProfileOptions, cache: Path, benchmark: Benchmark, shard: Shard) -> int:
    """Measure one shard here: chunks into the spool, and nothing into a database.

    There is no row of a job either, so that any number of machines can write to one spool.

    Raises
    ------
    Cancelled
        If SIGTERM came; the chunk in hand is finished.
    RunnerError, DataError
        As for `profile`.
    """
    stop = threading.Event()
    with progress(f"shard {shard.number}/{shard.of}", "sample") as bar, terminated(stop):
        try:
            report = profile(
                options,
                cache,
                progress=Progress(
                    statistics=bar.to, samples=bar.to, stage=bar.name, tell=bar.tell, note=bar.note
                ),
                stop=stop.is_set,
                benchmark=benchmark,
                shard=shard,
            )
        except Cancelled as error:
            raise Cancelled(f"{error}; the same command goes on from there") from None
    print(
        f"run {report.run_key}: shard {shard.number} of {shard.of}, {report.samples} samples, "
        f"{report.computed} of them computed now; when all shards are done, "
        f"{command('ingest', cache)} collects them, and the same command without --shard makes "
        "their spectra",
        file=sys.stderr,
    )
    return 0
