"""Which strategy answers the same test questions better: by hand, on answers that are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scipy.stats import binomtest

from data_cache import estimates
from data_cache.adapters import AdapterRecord, Measured
from data_cache.ingest import ingest
from data_cache.records import SpectrumRecord
from data_cache.samples import Sample
from model_runners.finetuning.standings import Standing, standings
from model_runners.finetuning.study import BASE
from pid_core.sign_flip import SignFlip
from tests.data_cache.spools import small_benchmark
from tests.model_runners.finetuning.answered import answer
from tests.pages.adapters import write_adapter

BENCHMARK = small_benchmark(80)
"""60 test questions, two in a group."""
OTHER = small_benchmark(40, name="other")
TEST = [one.id for one in BENCHMARK.samples if one.split == "test"]


def among(ids: list[str]) -> Callable[[Sample], bool]:
    return lambda one: one.id in ids


def adapter(
    cache: Path, number: int, strategy: str, seed: int, before: str, after: str
) -> AdapterRecord:
    key = f"{number:x}" * 16
    options = {"model": "base", "benchmark": "small", "strategy": strategy, "seed": seed}
    return write_adapter(
        cache, key=key, strategy=strategy, base_run_key=before, run_key=after, options=options
    )


@pytest.fixture(scope="module")
def study(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[AdapterRecord], list[SpectrumRecord]]:
    """Two strategies, two seeds each, on 60 questions; pid also on another benchmark."""
    cache = tmp_path_factory.mktemp("study")
    before = answer(cache, BENCHMARK, "base", among(TEST[:20]))
    rights = {
        ("uniform", 0): TEST[:26],
        ("uniform", 1): TEST[1:28],
        ("pid", 0): TEST[:36],
        ("pid", 1): TEST[2:38],
    }
    records = [
        adapter(
            cache,
            number,
            strategy,
            seed,
            before,
            answer(cache, BENCHMARK, f"{strategy}{seed}", among(ids)),
        )
        for number, ((strategy, seed), ids) in enumerate(rights.items(), start=1)
    ]
    far = [one.id for one in OTHER.samples]
    base_far, after_far = (
        answer(cache, OTHER, name, among(ids)) for name, ids in (("base", far), ("pid0", far[:10]))
    )
    first = records[2]
    assert first.base_run_key
    assert first.run_key
    there = [
        Measured(benchmark="small", base_run_key=first.base_run_key, run_key=first.run_key),
        Measured(benchmark="other", base_run_key=base_far, run_key=after_far),
    ]
    records[2] = replace(first, measured=tuple(there))
    ingest(cache)
    return cache, records, estimates.load(cache)


def sure(found: SignFlip | None) -> SignFlip:
    assert found is not None
    return found


def by_name(found: list[Standing]) -> dict[str, Standing]:
    return {one.strategy: one for one in found}


def test_every_strategy_is_counted_on_every_question_of_the_base(study: tuple) -> None:
    cache, records, spectra = study
    found = standings(cache, records, spectra, benchmark="small")[None]
    assert [one.strategy for one in found] == [BASE, "uniform", "pid"]
    assert {one.n for one in found} == {60}
    base, uniform, pid = found
    assert base.accuracy.mean == pytest.approx(20 / 60)
    assert pid.accuracy.mean == pytest.approx(36 / 60)
    assert pid.seeds == (0, 1)
    assert pid.minus_uniform is not None
    assert pid.minus_uniform.mean == pytest.approx((36 - 26 + 36 - 27) / 2 / 60)
    assert uniform.minus_uniform is None
    assert uniform.over_uniform is None
    assert (sure(pid.over_base).won, sure(pid.over_base).lost) == (16 + 18, 2)
    assert (pid.always_won, pid.always_lost) == (16, 0)
    assert pid.adjusted_p == sure(pid.over_uniform).p_value, "there is only one to correct for"


def test_one_seed_on_single_questions_is_mcnemars_test(study: tuple) -> None:
    cache, records, spectra = study
    pid = next(one for one in records if (one.strategy, one.options["seed"]) == ("pid", 1))
    by_subset = standings(cache, [pid], spectra, benchmark="small")
    assert by_subset.keys() == {"left", "right", None}
    left, whole = by_subset["left"][1], by_subset[None][1]
    assert left.n == 20
    moved = sure(left.over_base).won + sure(left.over_base).lost
    assert sure(left.over_base).p_value == pytest.approx(
        binomtest(sure(left.over_base).won, moved).pvalue
    )
    assert sure(whole.over_base).groups < sure(whole.over_base).won + sure(whole.over_base).lost, (
        "two questions of one group count once"
    )


def test_what_is_lost_elsewhere_is_found(study: tuple) -> None:
    cache, records, spectra = study
    found = by_name(standings(cache, records, spectra, benchmark="other")[None])
    assert found.keys() == {BASE, "pid"}, "uniform was not measured there"
    assert found["pid"].seeds == (0,)
    assert sure(found["pid"].over_base).difference < -0.5
    assert sure(found["pid"].over_base).p_value < 0.001
    assert found["pid"].over_uniform is None


def test_strategies_are_corrected_together(study: tuple) -> None:
    cache, records, spectra = study
    renamed = [replace(one, strategy="random") for one in records if one.strategy == "pid"]
    found = by_name(standings(cache, [*records, *renamed], spectra, benchmark="small")[None])
    assert found["pid"].adjusted_p == pytest.approx(2 * sure(found["pid"].over_uniform).p_value)


def test_nothing_stored_is_no_standing(study: tuple) -> None:
    cache, records, spectra = study
    assert standings(cache, records, spectra, benchmark="nowhere") == {}
    assert standings(cache, [], spectra, benchmark="small") == {}
    assert standings(cache, records, [], benchmark="small") == {}
