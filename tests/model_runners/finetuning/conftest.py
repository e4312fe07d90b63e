"""A benchmark of few real samples, a base that is loaded for one test, and a plan to train it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from data_cache.benchmarks import BENCHMARKS, BenchmarkEntry
from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.finetuning.lora import attach
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson
from model_runners.loading import load
from model_runners.vision import VisionCache

TRAIN, TEST = 96, 64

MakeLesson = Callable[..., Lesson]


@pytest.fixture(scope="session")
def few_digits(digits: Benchmark) -> Benchmark:
    """The first samples of either split of digits_vqa, as a benchmark of its own."""
    chosen = digits.select(split="train", limit=TRAIN) + digits.select(split="test", limit=TEST)
    ids = {sample.id for sample in chosen}
    return Benchmark(name="few_digits", samples=tuple(s for s in digits.samples if s.id in ids))


@pytest.fixture(scope="module")
def table(few_digits: Benchmark, digits: Benchmark) -> Iterator[dict[str, Benchmark]]:
    """The table of benchmarks with three lines more, one of them without a train split."""
    only_test = Benchmark(name="only_test", samples=digits.select(split="test", limit=8))
    others = digits.select(split="train")[TRAIN : TRAIN + 8] + digits.select(split="test")[-16:]
    ids = {sample.id for sample in others}
    other = Benchmark(name="other_digits", samples=tuple(s for s in digits.samples if s.id in ids))
    made = {"few_digits": few_digits, "only_test": only_test, "other_digits": other}
    with pytest.MonkeyPatch.context() as patch:
        for name, benchmark in made.items():
            module = ModuleType(f"benchmark_{name}")
            module.load = lambda benchmark=benchmark: benchmark  # pyright: ignore
            patch.setitem(sys.modules, module.__name__, module)
            entry = BenchmarkEntry(module=module.__name__, summary=name, built_in=True)
            patch.setitem(BENCHMARKS, name, entry)
        yield made


@pytest.fixture
def trainer(untrained: Path, digits: Benchmark) -> MakeLesson:
    """Makes a trainer of a fresh base with the weights 1/2, 1 and 3 in turn."""

    def make(
        *,
        model: str | None = None,
        n: int = 20,
        rank: int = 4,
        dropout: float = 0.0,
        checkpointing: bool = False,
        **changes: object,
    ) -> Lesson:
        loaded = load(model or str(untrained), device="cpu")
        samples = digits.select(split="train", limit=n)
        given: dict[str, object] = {
            "samples": samples,
            "weights": np.resize([0.5, 1.0, 3.0], len(samples)),
            "epochs": 2, "batch_size": 8, "micro_batch": 4, "rate": 1e-2, "seed": 3,
        } | changes  # fmt: skip
        return Lesson(
            loaded=loaded,
            lora=attach(loaded, rank=rank, seed=3, base=model or str(untrained), dropout=dropout),
            plan=TrainingPlan(**given),  # pyright: ignore[reportArgumentType]
            images=VisionCache(),
            candidates=Candidates.of_model(loaded),
            checkpointing=checkpointing,
        )

    return make
