"""How a run on a Ray cluster is asked for."""

import argparse

from model_runners.cluster.options import ENGINES, RETRIES, RayOptions


def add_ray_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a run on a cluster."""
    parser.add_argument(
        "--engine",
        default="local",
        choices=ENGINES,
        help="local, or ray: an existing Ray cluster (requirements-ray.txt; default: local)",
    )
    parser.add_argument(
        "--ray-address", default="auto", metavar="HOST:PORT", help="of its head (default: auto)"
    )
    parser.add_argument(
        "--ray-spool",
        metavar="ADDRESS",
        help="where tasks put chunks, as fsspec has it, for example s3://bucket/spool (default: "
        "the cache folder, which all nodes then share)",
    )
    parser.add_argument(
        "--ray-gpus", type=float, default=0.0, help="GPUs of each task (default: 0)"
    )
    parser.add_argument(
        "--ray-cpus", type=float, default=1.0, help="CPUs of each task (default: 1)"
    )
    parser.add_argument(
        "--ray-tasks", type=int, help="parts of the run (default: two for each that fits at once)"
    )
    parser.add_argument(
        "--ray-retries",
        type=int,
        default=RETRIES,
        help=f"how often a lost task is begun again (default: {RETRIES})",
    )


def ray_options(arguments: argparse.Namespace) -> RayOptions | None:
    """Return where tasks work; None where this machine does the run itself.

    Raises
    ------
    BadOption
        If the options make no sense.
    """
    if arguments.engine == "local":
        return None
    return RayOptions(
        address=arguments.ray_address,
        spool=arguments.ray_spool,
        gpus=arguments.ray_gpus,
        cpus=arguments.ray_cpus,
        tasks=arguments.ray_tasks,
        retries=arguments.ray_retries,
    )
