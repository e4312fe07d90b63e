"""Mixed benchmarks: their weights, what is asked of each, and what is kept in keys and requests."""

import pytest

from data_cache.samples import Benchmark
from model_runners.errors import BadOption
from model_runners.finetuning.material import held_out
from model_runners.finetuning.mixing import shares, weights_of
from model_runners.finetuning.options import FinetuneOptions, StudyOptions
from model_runners.finetuning.records import adapter_key
from model_runners.finetuning.requests import on_benchmark, options_of, request_of, title_of
from model_runners.finetuning.study_requests import options_of as study_of
from model_runners.finetuning.study_requests import request_of as study_request_of
from model_runners.finetuning.study_requests import title_of as study_title_of
from model_runners.loading import LoadedModel

MIXED = FinetuneOptions(
    model="demo/oracle", benchmark="digits_vqa", mix="pope=2,mmstar", evaluate_on=("mmmu",),
    data="/somewhere", device="cpu",
)  # fmt: skip


def test_weights_and_shares() -> None:
    weights = weights_of("a", "b=2, c=0.5")
    assert weights == {"a": 1.0, "b": 2.0, "c": 0.5}
    assert shares({"a": 40, "b": 60, "c": 500}, weights) == {"a": 30, "b": 60, "c": 15}


@pytest.mark.parametrize(
    ("mix", "said"),
    [
        ("b=0", "weights above 0"),
        ("b=x", "weights above 0"),
        ("b=nan", "weights above 0"),
        ("", "weights above 0"),
        ("b,,c", "weights above 0"),
        ("a", "'a' is trained on twice"),
        ("b,b=2", "'b' is trained on twice"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(mix: str, said: str) -> None:
    with pytest.raises(BadOption, match=said):
        FinetuneOptions(model="m", benchmark="a", mix=mix)


def test_a_mix_has_no_subset_and_no_tag() -> None:
    with pytest.raises(BadOption, match="belong to one benchmark"):
        FinetuneOptions(model="m", benchmark="a", mix="b", subset="left")


def test_what_is_trained_and_measured_on_starts_with_the_first() -> None:
    assert MIXED.trained_on == ("digits_vqa", "pope", "mmstar")
    assert MIXED.measured_on == ("digits_vqa", "mmmu")
    plain = FinetuneOptions(model="m", benchmark="a", mix="b")
    assert plain.measured_on == ("a", "b")
    assert on_benchmark(MIXED, "pope").data is None, "the folder is that of the first"


def test_a_request_is_read_back_as_it_was_asked_for() -> None:
    assert options_of(request_of(MIXED)) == MIXED
    assert "with pope=2,mmstar" in title_of(MIXED)
    assert "measured on digits_vqa, mmmu" in title_of(MIXED)
    study = StudyOptions.of(MIXED, ("pid", "uniform"), 2)
    assert study_of(study_request_of(study)) == study
    assert "(pid, uniform, with pope=2,mmstar" in study_title_of(study)
    assert study_title_of(study).endswith("seeds 0 to 1)")


def test_a_request_of_before_these_options_means_what_it_did() -> None:
    old = {"model": "demo/oracle", "benchmark": "digits_vqa", "rank": 8, "epochs": 3}
    found = options_of(old)
    assert (found.dropout, found.scaled(), found.select, found.early_stop) == (0.0, 16.0, "all", 0)


def test_the_key_has_the_content_of_what_is_mixed_and_not_where_it_is_measured(
    oracle: LoadedModel, few_digits: Benchmark
) -> None:
    def key(options: FinetuneOptions, **mixed: Benchmark) -> str:
        return adapter_key(options, loaded=oracle, benchmark=few_digits, mixed=mixed)

    plain = FinetuneOptions(model="demo/oracle", benchmark="few_digits", device="cpu")
    mixed = FinetuneOptions(model="demo/oracle", benchmark="few_digits", mix="x", device="cpu")
    heavy = FinetuneOptions(model="demo/oracle", benchmark="few_digits", mix="x=2", device="cpu")
    half = Benchmark(name="x", samples=few_digits.samples[::2])
    keys = {key(plain), key(mixed, x=few_digits), key(heavy, x=few_digits), key(mixed, x=half)}
    assert len(keys) == 4
    elsewhere = FinetuneOptions(
        model="demo/oracle", benchmark="few_digits", evaluate_on=("y",), device="cpu"
    )
    assert key(elsewhere) == key(plain)


def test_a_tenth_is_held_out_in_whole_groups_the_same_every_time(digits: Benchmark) -> None:
    samples = digits.select(split="train", limit=200)
    out = held_out(samples)
    assert 20 <= len(out) <= 40
    assert out == held_out(tuple(reversed(samples)))
    groups = {one.group_id for one in samples if one.id in out}
    assert {one.id for one in samples if one.group_id in groups} == out
    with pytest.raises(BadOption, match="are one group"):
        held_out(samples[:1])
