"""`cancel`: stop a job; what it has finished is kept."""

import argparse
import sys

from data_cache.location import cache_directory, command


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="a key of `list jobs`, or how it starts")
    parser.add_argument(
        "--now", action="store_true", help="kill its process; at most the chunk in hand is lost"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask it to stop, and say what that means for it."""
    from model_runners.jobs import cancel

    cache = cache_directory(arguments.cache)
    job = cancel(cache, arguments.key, now=arguments.now)
    resume = command(f"resume {job.job_key}", cache)
    says = {
        "running": f"job {job.job_key} stops after the chunk in hand; go on later with {resume}",
        "cancelled": f"job {job.job_key} is cancelled; go on with {resume}",
    }
    print(says.get(job.state, f"job {job.job_key} had ended before: {job.state}"), file=sys.stderr)
    return 0
