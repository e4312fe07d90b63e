"""The shipped oracle and its benchmark, once for a process, and what every run would repeat."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import model_runners.profile
from data_cache.benchmarks import load_benchmark
from data_cache.location import statistics_directory
from data_cache.samples import Benchmark
from data_cache.shipped import load_demo
from model_runners.demo.build import save
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.loading import LoadedModel, load
from model_runners.masking import NoiseStatistics
from model_runners.statistics import noise_statistics, recipe
from tests.model_runners import zoo


@pytest.fixture(scope="session")
def digits() -> Benchmark:
    return load_benchmark("digits_vqa")


@pytest.fixture(scope="session")
def oracle() -> LoadedModel:
    return load("demo/oracle", device="cpu")


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small LLaVA of random weights, in the ordinary layout."""
    folder = tmp_path_factory.mktemp("models") / "untrained"
    size = TinyLlava(hidden=32, vision_layers=1, language_layers=2, heads=2)
    processor = size.build_processor(tokenizer_corpus()[:64])
    save(size.build_model(processor, seed=1).eval(), processor, folder)
    return folder


@pytest.fixture(scope="session")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A small Qwen2.5-VL of random weights, loaded from its files."""
    folder = tmp_path_factory.mktemp("models") / "untrained-qwen"
    size = TinyQwen2_5_VL(hidden=32, vision_layers=2, language_layers=2, heads=2)
    processor = size.build_processor(tokenizer_corpus()[:64])
    save(size.build_model(processor, seed=1).eval(), processor, folder)
    return load(str(folder), device="cpu")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def built(shared: Path) -> Callable[[str], Path]:
    """Writes the tiny model of a family, once for all processes of a test run."""

    def folder_of(model_type: str) -> Path:
        folder = shared / "zoo" / model_type
        if not folder.exists():
            own = shared / f"{model_type}.{os.getpid()}"
            zoo.build(model_type, own)
            folder.parent.mkdir(exist_ok=True)
            with suppress(OSError):  # another process was as fast
                own.rename(folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def demo(shared: Path) -> Callable[[Path], Path]:
    """Makes a cache folder with the shipped demo; it is ingested for the first of them only."""

    def copied(cache: Path) -> Path:
        first = shared / "demo"
        if not first.exists():
            own = shared / f"demo.{os.getpid()}"
            load_demo(own, zoo=False)
            with suppress(OSError):  # another process was as fast
                own.rename(first)
        shutil.copytree(first, cache, dirs_exist_ok=True)
        return cache

    return copied


@pytest.fixture(scope="session")
def known_statistics(shared: Path) -> Path:
    """The noise statistics that an earlier run of this test run had to compute."""
    folder = shared / "statistics"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="module", autouse=True)
def statistics_once(known_statistics: Path) -> Iterator[None]:
    """Give a fresh cache folder the noise statistics that an earlier one had to compute.

    They are a pass over 1,024 samples, which is most of what a run of a few samples costs. Those
    of other settings, batches, or of a benchmark with a bad sample are computed as ever, and so are
    those of a process of its own. test_demo computes them itself.
    """

    def given(*what: Any, cache: Path, batch_size: int, bad: Any, **how: Any) -> NoiseStatistics:
        name = recipe(*what, how["scope"], how["asking"])
        known = known_statistics / f"{name}-{batch_size}.safetensors"
        path = statistics_directory(cache) / f"{name}.safetensors"
        is_new = not path.exists()
        if is_new and known.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(known, path)
        found = noise_statistics(*what, cache=cache, batch_size=batch_size, bad=bad, **how)
        if is_new and not known.exists() and not bad.reasons:
            shutil.copyfile(path, unfinished := known.with_suffix(f".{os.getpid()}"))
            unfinished.replace(known)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_runners.profile, "noise_statistics", given)
        yield
