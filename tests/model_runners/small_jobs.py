"""Jobs of a few samples, and what tests ask of them."""

import time
from collections.abc import Callable
from pathlib import Path

from data_cache import jobs
from data_cache.jobs import JobRow
from data_cache.location import run_directory
from model_runners.profile import ProfileOptions

PATIENCE = 120
"""Seconds after which a test gives up; nothing is measured by it."""


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 192, "draws": 1, "device": "cpu",
        "batch_size": 64,
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


def command_line(verb: str, chosen: ProfileOptions, cache: Path) -> list[str]:
    named = {name: getattr(chosen, name) for name in ("model", "benchmark", "limit", "draws")}
    named |= {"device": chosen.device, "batch-size": chosen.batch_size, "cache": cache}
    return [verb, *(word for name, value in named.items() for word in (f"--{name}", str(value)))]


def chunk_bytes(cache: Path, key: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run_directory(cache, key).glob("*.parquet")}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def row_of(cache: Path, key: str) -> JobRow:
    row = jobs.job(cache, key)
    assert row is not None
    return row
