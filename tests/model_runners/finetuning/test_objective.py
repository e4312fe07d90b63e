"""The objective: weights pull as they say, whatever the pieces; test samples are refused."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.errors import SplitLeak
from model_runners.finetuning.objective import answer_losses
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson
from model_runners.loading import LoadedModel
from model_runners.vision import VisionCache


def gradient(trainer: Lesson, indices: list[int], *, micro_batch: int) -> torch.Tensor:
    """Of the objective in all LoRA parameters, float64, away from the start where B is 0."""
    generator = torch.Generator().manual_seed(1)
    for parameter in trainer.lora.parameters.values():
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    trainer.loaded.model.double()
    exact = dataclasses.replace(
        trainer,
        loaded=dataclasses.replace(trainer.loaded, dtype="float64"),
        images=VisionCache(),
    )
    exact.gradient(np.array(indices), micro_batch=micro_batch)
    grads = [p.grad for p in exact.lora.parameters.values() if p.grad is not None]
    assert len(grads) == len(exact.lora.parameters)
    return torch.cat([grad.flatten().clone() for grad in grads])


def assert_same(one: torch.Tensor, other: torch.Tensor) -> None:
    """But for rounding: Llama's norms compute in float32, whatever the weights are."""
    assert float((one - other).norm()) < 1e-6 * float(other.norm())


def test_one_batch_of_eight_and_eight_of_one_give_the_same_gradient(
    trainer: Callable[..., Lesson],
) -> None:
    made = trainer()
    assert set(made.plan.weights[:8]) == {0.5, 1.0, 3.0}
    whole = gradient(made, list(range(8)), micro_batch=8)
    pieces = gradient(made, list(range(8)), micro_batch=1)
    assert float(whole.norm()) > 1e-3
    assert_same(pieces, whole)
    uneven = gradient(made, list(range(8)), micro_batch=3)
    assert_same(uneven, whole)


def test_a_heavy_batch_pulls_harder_than_a_light_one(trainer: Callable[..., Lesson]) -> None:
    made = trainer()
    light, heavy = [0, 3, 6], [2, 5, 8]  # 1/2 each and 3 each: sums far from B times the mean
    assert made.plan.weights[light].sum() < made.plan.batch_size * made.plan.mean_weight
    for indices in (light, heavy):
        whole = gradient(made, indices, micro_batch=3)
        assert_same(gradient(made, indices, micro_batch=1), whole)
    equal = dataclasses.replace(
        made, plan=dataclasses.replace(made.plan, weights=np.ones(len(made.plan.samples)))
    )
    for indices, weight in ((light, 0.5), (heavy, 3.0)):
        assert_same(
            gradient(made, indices, micro_batch=3) * made.plan.mean_weight,
            gradient(equal, indices, micro_batch=3) * weight,
        )


def test_a_small_last_batch_counts_by_its_samples(trainer: Callable[..., Lesson]) -> None:
    made = trainer()
    one = gradient(made, [4], micro_batch=8)
    two = gradient(made, [5], micro_batch=8)
    assert_same(gradient(made, [4, 5], micro_batch=8), one + two)


def test_the_loss_is_that_of_the_plain_forward_pass(oracle: LoadedModel, digits: Benchmark) -> None:
    from model_runners.candidates import Candidates

    samples = digits.select(split="train", limit=12)
    candidates = Candidates.of_model(oracle)
    with torch.no_grad():
        ours = answer_losses(oracle, samples, candidates=candidates, images=VisionCache())
        batch = encode(oracle.processor, samples, image_token_id=oracle.image_token_id)
        plain = oracle.model(**batch.inputs).logits[:, -1].log_softmax(-1)
    letters = [candidates.token(s.letters[s.answer]) for s in samples]
    torch.testing.assert_close(ours, -plain[range(12), letters], rtol=1e-4, atol=1e-4)


def test_a_test_sample_is_refused_by_loss_and_plan(oracle: LoadedModel, digits: Benchmark) -> None:
    from model_runners.candidates import Candidates

    mixed = digits.select(split="train", limit=3) + digits.select(split="test", limit=1)
    with pytest.raises(SplitLeak, match=f"{mixed[-1].id}.*of the test split"):
        answer_losses(oracle, mixed, candidates=Candidates.of_model(oracle), images=VisionCache())
    with pytest.raises(SplitLeak):
        TrainingPlan(
            samples=mixed, weights=np.ones(4), epochs=1, batch_size=2, micro_batch=2, rate=1e-3,
            seed=0,
        )  # fmt: skip
