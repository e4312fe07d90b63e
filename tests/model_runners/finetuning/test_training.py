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
from model_runners.errors import BadOption, Cancelled, OutOfMemory, SplitLeak, TrainingDiverged
from model_runners.finetuning.plan import TrainingPlan
from model_runners.finetuning.training import Lesson, train

MakeLesson = Callable[..., Lesson]


def files(cache: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(adapter_directory(cache, "ab").iterdir())}


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    """Dropout too is the same: it is drawn from the seed and the step."""
    undisturbed, stopped = tmp_path / "undisturbed", tmp_path / "stopped"
    whole = train(trainer(dropout=0.2), undisturbed, "ab").points
    assert len(whole) == 6
    for passes in (3, 4):  # within a step, and within another
        asked = 0

        def stop(passes: int = passes) -> bool:
            nonlocal asked
            asked += 1
            return asked > passes

        with pytest.raises(Cancelled, match="of 6 training steps"):
            train(trainer(dropout=0.2), stopped, "ab", stop=stop)
    assert 0 < len(adapters.losses(stopped, "ab")) < 6
    assert train(trainer(dropout=0.2), stopped, "ab").points == whole
    assert files(stopped) == files(undisturbed)
    without = train(trainer(), tmp_path / "without", "ab").points
    assert without[0].loss == whole[0].loss, "B is 0 at first, so that nothing is dropped yet"
    assert without[-1].loss != whole[-1].loss


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


def test_a_weight_of_zero_leaves_the_sample_out(
    trainer: MakeLesson, digits: Benchmark, tmp_path: Path
) -> None:
    samples = digits.select(split="train", limit=12)
    weights = np.resize([3.0, 0.0, 0.5], 12)
    kept = tuple(one for one, weight in zip(samples, weights, strict=True) if weight)
    with_zeros = trainer(samples=samples, weights=weights, dropout=0.1)
    without = trainer(samples=kept, weights=weights[weights > 0], dropout=0.1)
    assert with_zeros.plan.digest == without.plan.digest
    found = [
        train(lesson, tmp_path / name, "ab").points
        for name, lesson in (("zeros", with_zeros), ("without", without))
    ]
    assert found[0] == found[1]
    assert files(tmp_path / "zeros") == files(tmp_path / "without")


def test_weights_that_are_all_zero_are_refused(trainer: MakeLesson) -> None:
    with pytest.raises(BadOption, match="every training sample has the weight 0"):
        trainer(weights=np.zeros(20))


def test_only_lora_drops_and_only_while_it_is_trained(trainer: MakeLesson, tmp_path: Path) -> None:
    made = trainer(dropout=0.5, epochs=1)
    modes: set[tuple[bool, bool]] = set()

    def look(module: torch.nn.Module, *_: object) -> None:
        for name, part in made.loaded.model.named_modules():
            modes.add((".lora_dropout." in name, part.training))

    handle = made.loaded.stack.norm.register_forward_pre_hook(look)
    train(made, tmp_path, "ab")
    handle.remove()
    assert modes == {(True, True), (False, False)}
    assert not any(part.training for part in made.lora.wrapped.modules())


def test_global_generators_and_the_configuration_are_left_alone(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    made = trainer(dropout=0.5, epochs=1)
    torch.manual_seed(5)
    state, before = torch.get_rng_state(), made.loaded.model.config.to_dict()
    numbers = str(np.random.get_state())  # noqa: NPY002
    train(made, tmp_path, "ab")
    assert torch.equal(torch.get_rng_state(), state)
    assert str(np.random.get_state()) == numbers  # noqa: NPY002
    assert made.loaded.model.config.to_dict() == before


def refuse_above(lesson: Lesson, most: int) -> None:
    """Let the base's text stack run out of memory as torch does, above so many samples."""

    def hook(_: torch.nn.Module, __: object, keywords: dict[str, torch.Tensor]) -> None:
        if len(keywords["inputs_embeds"]) > most and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    lesson.loaded.stack.module.register_forward_pre_hook(hook, with_kwargs=True)


def test_memory_that_runs_out_halves_the_micro_batch_and_the_training_goes_on(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    whole = train(trainer(micro_batch=8), tmp_path / "whole", "ab")
    made = trainer(micro_batch=8)
    refuse_above(made, 3)
    found = train(made, tmp_path / "small", "ab")
    assert [one.split(",")[0] for one in found.warnings] == [
        f"memory ran out with {n} samples in a forward pass" for n in (8, 4)
    ]
    assert [p.loss for p in found.points] == pytest.approx([p.loss for p in whole.points], abs=1e-5)


def test_a_single_sample_that_does_not_fit_ends_it_and_keeps_what_was_trained(
    trainer: MakeLesson, tmp_path: Path
) -> None:
    made = trainer()
    with pytest.raises(Cancelled):
        train(made, tmp_path, "ab", stop=iter([False] * 2 + [True]).__next__)
    again = trainer()
    refuse_above(again, 0)
    with pytest.raises(OutOfMemory, match=r"one sample .* the adapter after 1 of 6 steps is kept"):
        train(again, tmp_path, "ab")
    assert len(train(trainer(), tmp_path, "ab").points) == 6


def test_checkpointed_layers_give_the_same_training(trainer: MakeLesson, tmp_path: Path) -> None:
    plain = train(trainer(dropout=0.3, epochs=1), tmp_path / "plain", "ab").points
    made = trainer(dropout=0.3, epochs=1, checkpointing=True)
    twice: list[int] = []
    layer = made.loaded.stack.layers[-1]
    attention = layer.get_submodule("self_attn")
    attention.register_forward_pre_hook(lambda *_: twice.append(1))
    found = train(made, tmp_path / "checkpointed", "ab").points
    assert found == plain
    assert len(twice) == 2 * sum(-(-len(made.plan.indices(step)) // 4) for step in range(3))
    assert "forward" not in layer.__dict__


class TestEarlyStop:
    """Half of the lesson contradicts what is held out, so that learning it makes that worse."""

    def lesson(self, trainer: MakeLesson, digits: Benchmark) -> Lesson:
        samples = digits.select(split="train", limit=24)
        shifted = tuple(replace(one, answer=(one.answer + 1) % 4) for one in samples[:16])
        return trainer(
            model="demo/fusion-small", samples=shifted, weights=np.ones(16), epochs=8,
            held_out=samples[16:], patience=2,
        )  # fmt: skip

    def test_it_stops_and_the_best_adapter_is_kept(
        self, trainer: MakeLesson, digits: Benchmark, tmp_path: Path
    ) -> None:
        lesson = self.lesson(trainer, digits)
        found = train(lesson, tmp_path, "ab")
        looked = [one for point in found.points if (one := point.held_out) is not None]
        assert len(looked) == len(found.points)
        assert len(found.points) == found.steps + 2 < lesson.plan.total_steps
        assert min(looked) == looked[found.steps - 1]
        assert found.warnings == (
            f"stopped early after {len(looked)} of 16 steps; the adapter after {found.steps} "
            "steps did best on the 8 samples held out",
        )
        assert lesson.held_out_loss() == pytest.approx(min(looked))

    def test_stopped_and_resumed_it_stops_at_the_same_step(
        self, trainer: MakeLesson, digits: Benchmark, tmp_path: Path
    ) -> None:
        whole = train(self.lesson(trainer, digits), tmp_path / "whole", "ab")
        stops = iter([False] * 8 + [True])
        with pytest.raises(Cancelled):
            train(self.lesson(trainer, digits), tmp_path, "ab", stop=stops.__next__)
        assert train(self.lesson(trainer, digits), tmp_path, "ab") == whole
        # Killed before its end was written down: nothing is trained again.
        assert train(self.lesson(trainer, digits), tmp_path, "ab").steps == whole.steps
        assert files(tmp_path) == files(tmp_path / "whole")


def test_a_mixed_epoch_has_every_benchmark_by_its_weight_and_takes_no_sample_twice(
    digits: Benchmark,
) -> None:
    plan = TrainingPlan(
        samples=digits.select(split="train", limit=40), weights=np.resize([3.0, 1.0], 40),
        epochs=3, batch_size=8, micro_batch=8, rate=1.0, seed=0,
        blocks=(0,) * 10 + (1,) * 30, shares=(1.0, 2.0),
    )  # fmt: skip
    assert (plan.per_epoch, plan.epoch_size, plan.steps_per_epoch) == ((10, 20), 30, 4)
    epochs = [np.concatenate([plan.indices(4 * e + i) for i in range(4)]) for e in range(3)]
    for order in epochs:
        assert len(set(order)) == len(order) == 30
        assert (order < 10).sum() == 10
    assert {int(i) for order in epochs[:2] for i in order} == set(range(40)), "all have their turn"
    assert plan.mean_weight == 2.0
    assert plan.seen(5) == 38


def test_no_test_sample_is_held_out(digits: Benchmark) -> None:
    with pytest.raises(SplitLeak, match="of the test split"):
        TrainingPlan(
            samples=digits.select(split="train", limit=4), weights=np.ones(4), epochs=1,
            batch_size=4, micro_batch=4, rate=1.0, seed=0,
            held_out=digits.select(split="test", limit=1), patience=1,
        )  # fmt: skip
