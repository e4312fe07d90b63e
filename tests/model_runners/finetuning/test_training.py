"""Training: deterministic, stopped and resumed to the bit, and honest where it diverges."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from data_cache import adapters
from data_cache.location import adapter_directory
from data_cache.samples import Benchmark
from model_runners.errors import Cancelled, TrainingDiverged
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson, train

MakeLesson = Callable[..., Lesson]


def files(cache: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(adapter_directory(cache, "ab").iterdir())}


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    undisturbed, stopped = tmp_path / "undisturbed", tmp_path / "stopped"
    whole = train(trainer(), undisturbed, "ab").points
    assert len(whole) == 6
    for passes in (3, 4):  # within a step, and within another
        asked = 0

        def stop(passes: int = passes) -> bool:
            nonlocal asked
            asked += 1
            return asked > passes

        with pytest.raises(Cancelled, match="of 6 training steps"):
            train(trainer(), stopped, "ab", stop=stop)
    assert 0 < len(adapters.losses(stopped, "ab")) < 6
    assert train(trainer(), stopped, "ab").points == whole
    assert files(stopped) == files(undisturbed)


def test_steps_after_the_last_write_are_done_again_and_not_told_twice(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    whole = train(trainer(), tmp_path / "whole", "ab").points
    with pytest.raises(Cancelled):
        train(trainer(), tmp_path, "ab", stop=iter([False] * 4 + [True]).__next__)
    told = adapters.losses(tmp_path, "ab")
    adapters.append_loss(tmp_path, "ab", whole[len(told)])  # told, and then killed
    with (adapter_directory(tmp_path, "ab") / adapters.LOSSES_NAME).open("a") as file:
        file.write('{"step": 4, "epo')  # killed while telling
    assert len(adapters.losses(tmp_path, "ab")) == len(told) + 1
    assert train(trainer(), tmp_path, "ab").points == whole
    assert adapters.losses(tmp_path, "ab") == whole


def test_the_state_of_another_plan_is_not_gone_on_from(trainer: MakeLesson, tmp_path: Path) -> None:
    train(trainer(), tmp_path, "ab")
    other = train(trainer(rate=5e-3), tmp_path, "ab").points
    assert len(other) == 6
    assert other[0].rate == pytest.approx(5e-3)


def test_a_model_learns_other_answers(
    trainer: MakeLesson, digits: Benchmark, tmp_path: Path
) -> None:
    shifted = tuple(
        replace(sample, answer=(sample.answer + 1) % 4)
        for sample in digits.select(split="train", limit=24)
    )
    made = trainer(model="demo/fusion-small", samples=shifted, weights=np.ones(24), epochs=6)
    points = train(made, tmp_path, "ab").points
    assert points[0].loss > 2
    assert points[-1].loss < 0.5 * points[0].loss
    assert [point.step for point in points] == list(range(1, 19))
    assert points[-1].epoch == 6


def test_an_absurd_rate_diverges_and_the_last_finite_adapter_stays(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    with pytest.raises(
        TrainingDiverged, match=r"diverged at step \d+ of 6 .*smaller learning rate"
    ):
        train(trainer(rate=1e30), tmp_path, "ab")
    kept = load_file(adapter_directory(tmp_path, "ab") / "adapter_model.safetensors")
    assert kept
    assert all(bool(torch.isfinite(value).all()) for value in kept.values())
    told = adapters.losses(tmp_path, "ab")
    assert all(np.isfinite(point.loss) for point in told)


def test_an_overflow_in_the_gradient_moves_nothing(trainer: MakeLesson, tmp_path: Path) -> None:
    made = trainer(weights=np.full(20, 1.0))
    name = next(n for n in made.lora.parameters if ".lora_B." in n)
    hook = made.lora.parameters[name].register_hook(lambda grad: grad * 1e38 * 1e38)
    fresh = made.lora.weights()
    with pytest.raises(TrainingDiverged, match="after 0 steps"):
        train(made, tmp_path, "ab")
    hook.remove()
    kept = load_file(adapter_directory(tmp_path, "ab") / "adapter_model.safetensors")
    assert all(torch.equal(kept[n], fresh[n]) for n in fresh)


def test_each_epoch_goes_through_every_sample_once_in_an_order_of_its_own(
    digits: Benchmark,
) -> None:
    plan = TrainingPlan(
        samples=digits.select(split="train", limit=21), weights=np.ones(21), epochs=2,
        batch_size=8, micro_batch=8, rate=1.0, seed=0,
    )  # fmt: skip
    epochs = [np.concatenate([plan.indices(3 * e + i) for i in range(3)]) for e in range(2)]
    for order in epochs:
        assert sorted(order) == list(range(21))
    assert epochs[0].tolist() != epochs[1].tolist()
    assert [plan.seen(step) for step in range(7)] == [0, 8, 16, 21, 29, 37, 42]
    rates = [plan.rate_at(step) for step in range(6)]
    assert max(rates) == 1.0
    assert rates[-1] < 0.2
