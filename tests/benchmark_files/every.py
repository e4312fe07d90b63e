"""Every fixture by the name of its benchmark; those of one's own files are asked for by path."""

import importlib
from pathlib import Path
from typing import Any

from tests.benchmark_files.expected import Expected

OWN = ("vlmeval_tsv", "own_records")
EVERY = (
    *("mmbench", "pope", "reefknot", "pmc_vqa", "mmstar", "mmmu", "music_avqa"),
    *OWN,
)
"""The demo's benchmark needs no file."""


def fixture_of(name: str) -> Any:
    return importlib.import_module(f"tests.benchmark_files.{name}")


def expected_of(name: str) -> Expected:
    return fixture_of(name).EXPECTED


def written(name: str, folder: Path) -> dict[str, str]:
    """Write a fixture; returns `benchmark`, and `data` where it is no file of one's own."""
    folder.mkdir()
    place = str(fixture_of(name).write(folder))
    return {"benchmark": place} if name in OWN else {"benchmark": name, "data": place}
