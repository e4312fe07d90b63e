"""Weights told before a training: from the train split of the same benchmark, or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates, queries
from data_cache.estimates import SpectrumRecord, write_estimate
from data_cache.ingest import ingest
from data_cache.samples import Benchmark
from model_runners.errors import NoGapSamples
from model_runners.finetuning.options import FinetuneOptions
from model_runners.finetuning.stored_scores import estimates_behind, preview
from tests.data_cache.spools import profile, small_benchmark, spectrum
from tests.pages.sample_caches import numbers_of

MODEL = "demo/oracle"
BENCHMARK = small_benchmark(80)
OPTIONS = FinetuneOptions(model=MODEL, benchmark="small.jsonl", draws=2)
TRAIN = [one.id for one in BENCHMARK.samples if one.split == "train"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbers of the train split, the first sample's the highest; and those of the test split."""
    folder = tmp_path_factory.mktemp("scores")
    key = profile(folder, BENCHMARK, model=MODEL)
    for digit, split in enumerate(("train", "test"), start=1):
        ids = [one.id for one in BENCHMARK.samples if (one.subset, one.split) == ("left", split)]
        record = spectrum(key, subset="left", split=split, n=len(ids), estimate_key=f"{digit}" * 16)
        write_estimate(folder, record, numbers_of(ids))
    ingest(folder)
    return folder


def behind(cache: Path, benchmark: Benchmark = BENCHMARK) -> tuple[SpectrumRecord, ...]:
    keys = {run.run_key: run.benchmark_key for run in queries.runs(cache)}
    return estimates_behind(OPTIONS, estimates.load(cache), keys, benchmark)


def test_only_the_train_split_of_the_same_content_counts(cache: Path) -> None:
    (one,) = behind(cache)
    assert (one.split, one.subset) == ("train", "left")
    assert behind(cache, small_benchmark(40)) == (), "another content"
    keys = {run.run_key: run.benchmark_key for run in queries.runs(cache)}
    other = replace(OPTIONS, model="demo/fusion-small")
    assert estimates_behind(other, estimates.load(cache), keys, BENCHMARK) == ()


def test_the_weights_are_those_that_the_strategy_gives(cache: Path) -> None:
    part = preview(OPTIONS, behind(cache), cache, BENCHMARK)
    assert part is not None
    assert [one.id for one in part.samples] == TRAIN, "train samples of the test would be a leak"
    assert part.weighting.roles[: OPTIONS.top_of(20)] == ("gap",) * 4
    assert part.weighting.weights.tolist()[:9] == [3.0] * 4 + [0.5] * 4 + [1.0]
    assert np.isnan(part.scores.answer).all(), "nobody asked for answers"


def test_answers_are_read_where_they_decide(cache: Path) -> None:
    part = preview(replace(OPTIONS, strategy="accuracy"), behind(cache), cache, BENCHMARK)
    assert part is not None
    lifted = np.array(part.weighting.roles) == "gap"
    assert lifted.sum() == 4
    assert part.scores.answer[lifted].max() <= part.scores.answer[~lifted].min()


def test_a_tag_and_no_scores_at_all_are_weighed_too(cache: Path, tmp_path: Path) -> None:
    tagged = frozenset(TRAIN[:3])
    options = replace(OPTIONS, strategy="tag", lift_tag="hard", lifted="0" * 16)
    part = preview(options, (), cache, BENCHMARK, tagged=tagged)
    assert part is not None
    assert {one.id for one, role in zip(part.samples, part.weighting.roles, strict=True)
            if role == "gap"} == tagged  # fmt: skip
    assert preview(OPTIONS, (), cache, BENCHMARK) is None
    with pytest.raises(NoGapSamples, match="carries the tag"):
        preview(options, (), cache, BENCHMARK)
