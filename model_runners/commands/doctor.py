"""`doctor`: what this machine and this cache can do, what is in the way, and what is not whole."""

import argparse
import importlib.metadata
import json
import platform
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_cache.location import cache_directory
from model_runners.commands import speed

PACKAGES = (
    "torch",
    "transformers",
    "streamlit",
    "plotly",
    "duckdb",
    "pyarrow",
    "pandas",
    "numpy",
    "scipy",
    "peft",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    parser.add_argument(
        "--quick", action="store_true", help="do not read the content of chunks and tables"
    )
    parser.add_argument(
        "--speed",
        nargs="?",
        const="latest",
        metavar="RUN",
        help="only say where the time of a run went, or of the latest ones, and what to change",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 if something is not as it should be, 0 otherwise."""
    from data_cache.checkup import check_cache
    from model_runners.progress import progress

    cache = cache_directory(arguments.cache)
    if arguments.speed is not None:
        named = None if arguments.speed == "latest" else arguments.speed
        return speed.show(cache, named, as_json=arguments.json)
    found = examine(cache)
    with progress("checking the cache", "file") as bar:
        troubles = check_cache(cache, contents=not arguments.quick, report=bar.to)
    if arguments.json:
        print(json.dumps({**found, "troubles": [asdict(one) for one in troubles]}, indent=1))
        return int(bool(troubles))
    for name, value in found.items():
        print(f"{name}: {value}")
    for one in troubles:
        print(f"not as it should be: {one.where}: {one.what}\n    {one.remedy}")
    read = "names, ledger and jobs" if arguments.quick else "every file, table, ledger and job"
    print(f"check-up: {read} looked at, {len(troubles) or 'nothing'} not as it should be")
    return int(bool(troubles))


def examine(cache: Path) -> dict[str, Any]:
    """Return versions, devices, and the state of the cache."""
    from data_cache import queries
    from data_cache.errors import CacheError
    from model_runners.models import DEMO_MODELS

    try:
        state = queries.state(cache)
    except CacheError as error:
        state = f"unusable: {error}"
    parent = next(folder for folder in (cache, *cache.parents) if folder.exists())
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "devices": _devices(),
        "cache": str(cache),
        "cache state": state,
        "kept results": _kept_results(cache),
        "free disk": f"{shutil.disk_usage(parent).free / 2**30:.1f} GiB",
        "demo weights": "there"
        if (DEMO_MODELS / "oracle" / "config.json").is_file()
        else "missing",
    }


def _kept_results(cache: Path) -> str:
    from data_cache.derived import listed
    from data_cache.errors import CacheError

    try:
        found = listed(cache)
    except CacheError:
        return "unknown: the database cannot be read"
    older = sum(not one.is_current for one in found)
    size = sum(one.size for one in found) / 2**20
    said = f", {older} of them out of date" if older else ""
    return f"{len(found)} ({size:.1f} MiB){said}"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return f"missing; pip install {name}"


def _devices() -> str:
    import torch

    from model_runners.gpus import unused_gpu, visible_gpus

    if torch.cuda.is_available():
        return ", ".join(
            f"cuda:{index} {torch.cuda.get_device_name(index)}"
            for index in range(torch.cuda.device_count())
        )
    if unused := unused_gpu():
        return f"cpu; {unused}"
    if hidden := len(visible_gpus()):
        return (
            f"cpu; {hidden} NVIDIA GPUs are visible, but torch {torch.__version__} (CUDA "
            f"{torch.version.cuda}) does not get at them: the driver may be too old for it "
            "(nvidia-smi says up to which CUDA)"
        )
    return "cpu"
