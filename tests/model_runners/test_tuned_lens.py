"""A tuned lens reads layers nearer to what the model says, on samples that it never saw."""

import dataclasses

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.candidates import Candidates
from model_runners.errors import BadOption, Cancelled, UnsupportedModel
from model_runners.inference import BatchRunner
from model_runners.lens_states import LensStates, collect
from model_runners.lens_training import LensTraining, divergence, train_lens
from model_runners.loading import LoadedModel
from model_runners.masking import Masker
from model_runners.statistics import observe
from model_runners.tuned_lens import TunedLens, identity, moved_by
from model_runners.vision import VisionCache

CONDITIONS = 5
SAMPLES = 64
SHORT = LensTraining(epochs=12, batch_size=32)


@pytest.fixture(scope="module")
def runner(oracle: LoadedModel, digits: Benchmark) -> BatchRunner:
    samples = digits.select(split="train", limit=SAMPLES)
    statistics = observe(oracle, samples, scope="all", images=VisionCache(), batch_size=32)
    return BatchRunner(
        loaded=oracle, masker=Masker(statistics=statistics, seed=0), draws=1,
        candidates=Candidates.of_model(oracle), images=VisionCache(),
    )  # fmt: skip


@pytest.fixture(scope="module")
def states(runner: BatchRunner, digits: Benchmark) -> LensStates:
    return collect(runner, digits.select(split="train", limit=SAMPLES))


def test_each_sample_gives_a_state_per_condition_and_layer(
    oracle: LoadedModel, states: LensStates, digits: Benchmark
) -> None:
    samples = digits.select(split="train", limit=SAMPLES)
    count = CONDITIONS * len(samples)
    width = states.final.shape[-1]
    assert states.layers.shape == (len(oracle.stack.layers) - 1, count, width)
    assert states.final.shape == (count, width)
    assert sorted(states.groups) == sorted(
        sample.group_id for sample in samples for _ in range(CONDITIONS)
    )
    learned, held_out = states.divided()
    assert not set(learned.groups) & set(held_out.groups)
    assert len(learned.groups) + len(held_out.groups) == count
    assert 0.6 < len(learned.groups) / count < 0.9


def test_it_reads_every_layer_nearer_to_the_output_on_samples_of_the_other_split(
    runner: BatchRunner, states: LensStates, digits: Benchmark
) -> None:
    stack = runner.loaded.stack
    trained = train_lens(stack, states, SHORT)
    unseen = collect(runner, digits.select(split="test", limit=24))
    for layer, matrix in enumerate(trained.lens.matrices):
        moved = moved_by(unseen.layers[layer], matrix, trained.lens.biases[layer])
        before = divergence(stack, unseen.layers[layer], unseen.final)
        after = divergence(stack, moved, unseen.final)
        assert after < 0.75 * before, f"layer {layer}: {before:.3f} to {after:.3f} bits"
        fit = trained.fits[layer]
        assert (fit.layer, fit.epochs > 0) == (layer, True)
        assert fit.after < fit.before
    assert all(weight.grad is None for weight in runner.loaded.model.parameters())


def test_the_same_seed_gives_the_same_bytes(runner: BatchRunner, states: LensStates) -> None:
    stack, quick = runner.loaded.stack, LensTraining(epochs=2)
    first, second = (train_lens(stack, states, quick).lens.to_bytes({}) for _ in range(2))
    other = train_lens(stack, states, dataclasses.replace(quick, seed=1, batch_size=32))
    assert first == second != other.lens.to_bytes({})


def test_training_that_goes_astray_leaves_the_logit_lens(
    runner: BatchRunner, states: LensStates
) -> None:
    wild = train_lens(runner.loaded.stack, states, LensTraining(rate=1e4, epochs=3))
    for fit in wild.fits:
        assert fit.after == fit.before or fit.after < fit.before
        assert (fit.after == fit.before) == (fit.epochs == 0)
    left = [fit.layer for fit in wild.fits if fit.epochs == 0]
    assert left, "with a rate this high some layer must get worse at every step"
    for layer in left:
        assert not wild.lens.matrices[layer].any()
        assert not wild.lens.biases[layer].any()


def test_training_needs_two_groups_and_can_be_stopped(
    runner: BatchRunner, states: LensStates, digits: Benchmark
) -> None:
    alone = dataclasses.replace(states, groups=("one",) * len(states.groups))
    with pytest.raises(BadOption, match="samples of two groups or more"):
        train_lens(runner.loaded.stack, alone)
    with pytest.raises(Cancelled, match="stopped after 0 of 3 layers"):
        train_lens(runner.loaded.stack, states, stop=lambda: True)
    with pytest.raises(Cancelled, match="stopped after 0 of 4 samples"):
        collect(runner, digits.select(limit=4), stop=lambda: True)


def test_settings_that_make_no_sense_are_refused() -> None:
    for name, value in (("epochs", 0), ("rate", 0.0), ("rate", float("nan")), ("decay", -1.0)):
        with pytest.raises(BadOption, match="must be"):
            dataclasses.replace(SHORT, **{name: value})


def test_a_lens_of_another_model_is_refused() -> None:
    lens = identity(4, 8)
    assert lens(torch.ones(4, 2, 8)).shape == (4, 2, 8)
    for states in (torch.ones(5, 2, 8), torch.ones(4, 2, 9)):
        with pytest.raises(UnsupportedModel, match="a tuned lens for 4 layers of width 8"):
            lens(states)


def test_maps_are_applied_to_all_positions_in_the_states_own_type() -> None:
    lens = TunedLens(matrices=torch.eye(3)[None] * 2, biases=torch.tensor([[1.0, 0.0, 0.0]]))
    states = torch.ones(2, 4, 5, 3, dtype=torch.bfloat16)
    moved = lens(states)
    assert moved.dtype == torch.bfloat16
    assert moved[0].unique(dim=-2).tolist() == [[[4.0, 3.0, 3.0]]] * 4
    assert torch.equal(moved[1], states[1])
