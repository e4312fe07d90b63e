"""A batch under all conditions: the same numbers however it is cut, and as computed by hand."""

import dataclasses

import numpy as np
import pytest
import torch

from data_cache.conditions import NOISY, PROBED, Condition
from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.inference import BatchRunner
from model_runners.loading import LoadedModel
from model_runners.masking import Masker, NoiseStatistics
from model_runners.statistics import observe, statistics_samples
from model_runners.vision import VisionCache

DRAWS = 2


@pytest.fixture(scope="module")
def statistics(oracle: LoadedModel, digits: Benchmark) -> NoiseStatistics:
    return observe(
        oracle,
        statistics_samples(digits)[:128],
        scope="all",
        images=VisionCache(),
        batch_size=64,
    )


@pytest.fixture(scope="module")
def runner(oracle: LoadedModel, statistics: NoiseStatistics) -> BatchRunner:
    return BatchRunner(
        loaded=oracle,
        masker=Masker(statistics=statistics, seed=0),
        candidates=Candidates.of_model(oracle),
        images=VisionCache(),
        draws=DRAWS,
        rows_per_pass=16,
    )


def scores(result):
    return {(r.sample.id, r.condition, r.draw, r.layer): r.scores for r in result.rows}


def test_every_condition_has_its_draws(runner: BatchRunner, digits: Benchmark) -> None:
    samples = digits.samples[:5]
    found = scores(runner.run(samples))
    expected = {
        (sample.id, condition, draw, -1)
        for sample in samples
        for condition in PROBED
        for draw in range(DRAWS if condition in NOISY else 1)
    }
    assert set(found) == expected


def test_scores_are_log_likelihoods_under_the_whole_vocabulary(
    runner: BatchRunner, oracle: LoadedModel, digits: Benchmark
) -> None:
    sample = digits.select(split="test")[0]
    batch = encode(oracle.processor, [sample], image_token_id=oracle.image_token_id)
    with torch.no_grad():
        log_p = oracle.model(**batch.inputs).logits[0, -1].log_softmax(-1)
    tokens = [
        oracle.processor.tokenizer.encode(x, add_special_tokens=False)[0] for x in sample.letters
    ]
    found = scores(runner.run([sample]))[sample.id, Condition.FULL, 0, -1]
    assert np.allclose(found, log_p[tokens].numpy(), atol=1e-4)


def test_removing_the_image_is_the_prompt_without_it(
    runner: BatchRunner, oracle: LoadedModel, digits: Benchmark
) -> None:
    sample = digits.samples[0]
    batch = encode(
        oracle.processor, [sample], image_token_id=oracle.image_token_id, with_image=False
    )
    with torch.no_grad():
        log_p = oracle.model(**batch.inputs).logits[0, -1].log_softmax(-1)
    tokens = [
        oracle.processor.tokenizer.encode(x, add_special_tokens=False)[0] for x in sample.letters
    ]
    found = scores(runner.run([sample]))[sample.id, Condition.NO_IMAGE, 0, -1]
    assert np.allclose(found, log_p[tokens].numpy(), atol=1e-4)


@pytest.mark.parametrize("rows_per_pass", [1, 7, 64])
def test_batching_changes_nothing_beyond_rounding(
    runner: BatchRunner, digits: Benchmark, rows_per_pass: int
) -> None:
    samples = digits.samples[:4]
    together = scores(runner.run(samples))
    cut = dataclasses.replace(runner, rows_per_pass=rows_per_pass, images=VisionCache())
    apart = {
        key: value
        for sample in reversed(samples)
        for key, value in scores(cut.run([sample])).items()
    }
    assert set(together) == set(apart)
    assert all(np.allclose(together[key], apart[key], atol=1e-4) for key in together)


def test_the_same_batch_twice_is_bit_identical(runner: BatchRunner, digits: Benchmark) -> None:
    samples = digits.samples[:6]
    one, two = scores(runner.run(samples)), scores(runner.run(samples))
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_layers_come_from_the_same_pass_and_end_in_the_models_output(
    runner: BatchRunner, oracle: LoadedModel, digits: Benchmark
) -> None:
    found = scores(dataclasses.replace(runner, with_layers=True).run(digits.samples[:2]))
    last = len(oracle.stack.layers) - 1
    assert {layer for *_, layer in found} == {-1, *range(last + 1)}
    for sample_id, condition, draw, layer in list(found):
        if layer == last:
            assert np.allclose(
                found[sample_id, condition, draw, last],
                found[sample_id, condition, draw, -1],
                atol=1e-4,
            )


def test_features_are_means_of_the_unmasked_embeddings(
    runner: BatchRunner, oracle: LoadedModel, digits: Benchmark
) -> None:
    sample = digits.samples[0]
    result = runner.run([sample, digits.samples[9]])
    batch = encode(oracle.processor, [sample], image_token_id=oracle.image_token_id)
    words = oracle.model.get_input_embeddings()(batch.inputs["input_ids"][batch.text]).mean(0)
    features = result.features[sample.id]
    assert np.allclose(features.text, words.detach().numpy(), atol=1e-5)
    assert (features.vision_tokens, features.text_tokens) == (16, int(batch.text.sum()))


def test_strict_choice_is_the_letter_that_the_whole_vocabulary_prefers(
    runner: BatchRunner, oracle: LoadedModel, digits: Benchmark
) -> None:
    for row in runner.run(digits.select(split="test", limit=6)).rows:
        spelled = oracle.processor.tokenizer.decode([row.top_token]).strip().lower()
        letters = [letter.lower() for letter in row.sample.letters]
        assert row.strict_choice == (letters.index(spelled) if spelled in letters else -1)


def test_samples_with_fewer_options_have_fewer_scores(
    runner: BatchRunner, digits: Benchmark
) -> None:
    two = dataclasses.replace(digits.samples[0], id="two", options=("yes", "no"), answer=0)
    found = scores(runner.run([two, digits.samples[1]]))
    assert len(found["two", Condition.FULL, 0, -1]) == 2
    assert len(found[digits.samples[1].id, Condition.FULL, 0, -1]) == 4


def test_an_answer_of_several_tokens_is_refused(oracle: LoadedModel) -> None:
    candidates = Candidates.of_model(oracle)
    with pytest.raises(UnsupportedModel, match="tokens"):
        candidates.token("Q")
