"""The shipped oracle and its benchmark, loaded once for a process."""

from pathlib import Path

import pytest

from data_cache.benchmarks import load_benchmark
from data_cache.samples import Benchmark
from model_runners.demo.build import save
from model_runners.demo.recipes import tokenizer_corpus
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.tiny_qwen2_5_vl import TinyQwen2_5_VL
from model_runners.loading import LoadedModel, load


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
