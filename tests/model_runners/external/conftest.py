"""Models of repositories that are not PIDscope's, and what pytest must leave alone."""

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_cache.samples import Benchmark
from model_runners.external.side.pidscope_worker.adapters import adapter_of
from tests.model_runners.external.models import REPOSITORIES, save

collect_ignore = ["repositories", "scripted.py"]


@pytest.fixture(scope="session")
def few(digits: Benchmark) -> Benchmark:
    """So few samples that the noise's moments are taken in a moment."""
    return dataclasses.replace(digits, samples=digits.samples[:80])


@pytest.fixture(scope="session")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Writes a model of a package once and returns its folder."""
    made: dict[str, Path] = {}

    def of(package: str) -> Path:
        if package not in made:
            made[package] = save(package, tmp_path_factory.mktemp("forks") / f"{package}-tiny")
        return made[package]

    return of


@pytest.fixture
def adapter(fork: Callable[[str], Path]) -> Iterator[Callable[..., Any]]:
    """Loads a model through its adapter, in this process."""
    before = set(sys.modules)
    sys.path.insert(0, str(REPOSITORIES))

    def of(package: str, **changes: Any) -> Any:
        request = {"scope": "all", "device": "cpu", "dtype": "auto", "model": str(fork(package))}
        request |= {"conversation": None, "adapter": package, **changes}
        return adapter_of(request)

    yield of
    sys.path.remove(str(REPOSITORIES))
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"cambrian", "vita", "shape"}:
            del sys.modules[name]
