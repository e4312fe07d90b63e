"""What prompts begin with is read once, and every row ends where it ends when it is read whole."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_cache.samples import Benchmark
from model_runners import inference, prefixes
from model_runners.candidates import Candidates
from model_runners.errors import BadOption
from model_runners.inference import BatchResult, BatchRunner
from model_runners.loading import LoadedModel, load
from model_runners.masking import Masker
from model_runners.prefix_test import can_share, chosen_sharing
from model_runners.statistics import observe
from model_runners.stopwatch import Stopwatch
from model_runners.vision import VisionCache

Of = Callable[[str], BatchRunner]


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models with small images would not share."""
    monkeypatch.setenv("PIDSCOPE_SHARED_PREFIX", "always")
    monkeypatch.setattr(inference, "PAYS", 1.0)


@pytest.fixture(scope="module")
def runner_of(built: Callable[[str], Path], digits: Benchmark) -> Of:
    """Makes the runner of a tiny model of a family."""

    def made(family: str) -> BatchRunner:
        loaded = load(str(built(family)), device="cpu")
        return runner(loaded, digits)

    return made


def runner(loaded: LoadedModel, digits: Benchmark) -> BatchRunner:
    statistics = observe(
        loaded, digits.samples[:8], scope="all", images=VisionCache(), batch_size=8
    )
    return BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=0),
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        draws=2,
        rows_per_pass=7,
        watch=Stopwatch(),
    )


def largest_difference(one: BatchResult, other: BatchResult) -> float:
    mine, its = (
        {(row.sample.id, row.condition, row.draw, row.layer): row.scores for row in result.rows}
        for result in (one, other)
    )
    assert mine.keys() == its.keys()
    return max(float(np.abs(mine[key] - its[key]).max()) for key in mine)


@pytest.mark.parametrize(
    "family",
    [
        "qwen3_vl",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("llava_onevision", "smolvlm")),
        pytest.param("blip-2", marks=pytest.mark.slow),
    ],
)
def test_shared_beginnings_change_nothing_beyond_rounding(
    family: str, runner_of: Of, digits: Benchmark
) -> None:
    """M-RoPE with DeepStack, plain positions, several parts of an image, learned positions."""
    whole = replace(runner_of(family), with_layers=True)
    samples = digits.samples[:5]
    assert can_share(whole, samples)
    shared = replace(whole, shares=True, watch=Stopwatch())
    assert largest_difference(whole.run(samples), shared.run(samples)) < 1e-4
    counts = shared.watch.counts
    assert counts["shared"] > 0
    assert counts["positions"] < whole.watch.counts["positions"]


def test_answers_of_several_tokens_go_on_from_shared_beginnings(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    from model_runners.asking import Asking

    whole = runner(oracle, digits)
    whole = replace(
        whole, candidates=Candidates.of_model(oracle, Asking(answers="options")), shares=False
    )
    samples = digits.samples[:4]
    assert can_share(whole, samples)
    shared = replace(whole, shares=True)
    assert largest_difference(whole.run(samples), shared.run(samples)) < 1e-4


@pytest.mark.parametrize(
    "family",
    [
        "paligemma",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("gemma3", "mllama")),
        pytest.param("instructblip", marks=pytest.mark.slow),
    ],
)
def test_a_model_whose_image_may_look_at_the_words_reads_every_row_whole(
    family: str, runner_of: Of, digits: Benchmark
) -> None:
    assert not can_share(runner_of(family), digits.samples[:3])


def test_a_beginning_that_hears_of_what_follows_is_noticed(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    """A model that reads both ways, though its keywords look like any other's."""
    whole = runner(oracle, digits)
    assert can_share(whole, digits.samples[:3])
    stack = oracle.stack.module
    forward = stack.forward

    def both_ways(*args, inputs_embeds, **keywords):
        mixed = inputs_embeds + inputs_embeds.mean(1, keepdim=True)
        return forward(*args, inputs_embeds=mixed, **keywords)

    stack.forward = both_ways
    try:
        assert not can_share(whole, digits.samples[:3])
    finally:
        del stack.forward


def test_questions_about_one_image_share_it_and_others_do_not(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    from model_runners.prefixes import divide, share_of
    from model_runners.vision import merge

    whole = runner(oracle, digits)
    first = digits.samples[0]
    again = replace(first, id="again", question="Which of these is it, then?")
    other = next(one for one in digits.samples if one.images[0].digest != first.images[0].digest)
    samples = [first, again, replace(first, id="other", images=other.images)]
    batch = whole.encode(samples, with_image=True)
    captured = merge(oracle, batch, samples, images=whole.images)
    divided = divide(captured, batch, samples, oracle.stack)
    assert divided is not None
    assert divided.same == (0, 0, 2)
    full = inference.Condition.FULL
    alone = share_of(divided, [(2, full, 0)])
    together = share_of(divided, [(place, full, 0) for place, _ in enumerate(samples)])
    assert alone == pytest.approx(1)
    assert together < 1


def test_small_models_and_features_of_layers_are_read_whole(
    oracle: LoadedModel, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = runner(oracle, digits)
    assert not can_share(replace(whole, with_layer_features=True), digits.samples[:3])
    monkeypatch.setenv("PIDSCOPE_SHARED_PREFIX", "auto")
    assert prefixes.parameters_of(oracle.stack) < prefixes.LEAST_PARAMETERS
    assert not can_share(whole, digits.samples[:3])
    monkeypatch.setenv("PIDSCOPE_SHARED_PREFIX", "sometimes")
    with pytest.raises(BadOption, match="PIDSCOPE_SHARED_PREFIX must be auto"):
        chosen_sharing()
