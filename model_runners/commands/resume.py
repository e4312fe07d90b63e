"""`resume`: go on with a job that was cancelled, failed, or lost its process."""

import argparse

from data_cache.location import cache_directory
from model_runners.commands.profile import tell_started
from model_runners.commands.waiting_arguments import add_waiting_arguments, terms_from


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("key", metavar="KEY", help="a key of `list jobs`, or how it starts")
    parser.add_argument(
        "--detach", action="store_true", help="work in the background; prints the job's key"
    )
    add_waiting_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Go on here or in the background."""
    from data_cache import jobs
    from model_runners.jobs import resume

    cache = cache_directory(arguments.cache)
    if arguments.detach:
        tell_started(cache, resume(cache, arguments.key, terms=terms_from(arguments)))
        return 0
    from model_runners.commands.foreground import do

    return do(cache, jobs.find(cache, arguments.key), terms=terms_from(arguments))
