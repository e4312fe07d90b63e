"""`work`: do a queued job; what `profile --detach` and the dashboard start in the background."""

import argparse
import logging
import os
import sys

from data_cache.location import cache_directory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="a key of `list jobs`")


def run(arguments: argparse.Namespace) -> int:
    """Claim the job and do it; 0 also where another process was faster."""
    from data_cache import jobs
    from model_runners.worker import perform

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    cache = cache_directory(arguments.cache)
    job = jobs.find(cache, arguments.key)
    if not jobs.claim(cache, job.job_key, only_queued=True):
        logging.info("nothing to do: job %s is %s", job.job_key, job.state)
        return 0
    logging.info("process %d begins %s", os.getpid(), job.title)
    ended = perform(cache, jobs.find(cache, job.job_key))
    logging.info(ended.message)
    return 0
