"""`work`: do a queued job when its turn comes; `--detach` and the dashboard start this."""

import argparse
import logging
import os
import sys
from pathlib import Path

from data_cache.location import cache_directory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="a key of `list jobs`")


def run(arguments: argparse.Namespace) -> int:
    """Wait for a device and do the job; 0 also where another process was faster."""
    from data_cache import jobs
    from model_runners.keeper import keep

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    cache = cache_directory(arguments.cache)
    key = jobs.find(cache, arguments.key).job_key
    return keep(cache, key, lambda: _work(cache, key))


def _work(cache: Path, key: str) -> int:
    """Claim the job and do it; the exit code says whether another try may end otherwise."""
    from data_cache import jobs
    from model_runners.errors import USER_ERRORS, Cancelled
    from model_runners.keeper import MAY_PASS
    from model_runners.worker import may_pass, perform

    job = jobs.find(cache, key)
    if not jobs.claim(cache, key, only_queued=True):
        logging.info("nothing to do: job %s is %s", key, job.state)
        return 0
    logging.info("process %d begins %s", os.getpid(), job.title)
    try:
        ended = perform(cache, jobs.find(cache, key))
    except Cancelled as error:
        print(f"pidscope: {error}", file=sys.stderr)
        return 130
    except USER_ERRORS as error:
        print(f"pidscope: {error}", file=sys.stderr)
        return MAY_PASS if may_pass(error) else 2
    except Exception as error:
        if not may_pass(error):
            raise
        logging.exception("memory ran out")
        return MAY_PASS
    logging.info(ended.message)
    return 0
