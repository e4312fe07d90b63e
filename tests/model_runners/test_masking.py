"""Noise: matched moments, seeded by what it replaces."""

import dataclasses
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.channels import side_streams
from model_runners.encoding import EncodedBatch
from model_runners.errors import UnsupportedModel
from model_runners.masking import (
    MaskedRow,
    Masker,
    Moments,
    NoiseStatistics,
    RunningMoments,
    draw_noise,
    text_seed,
    vision_seed,
)
from model_runners.stack import Captured


def moments(dimensions: int = 6, seed: int = 0) -> Moments:
    generator = torch.Generator().manual_seed(seed)
    return Moments(
        mean=torch.randn(dimensions, generator=generator),
        std=torch.rand(dimensions, generator=generator) + 0.1,
        count=100,
    )


@pytest.fixture
def statistics() -> NoiseStatistics:
    return NoiseStatistics(vision=moments(seed=1), text=moments(seed=2))


def encoded(vision: torch.Tensor, text: torch.Tensor) -> EncodedBatch:
    lengths = torch.full((len(vision),), vision.shape[1])
    return EncodedBatch(inputs={}, vision=vision, text=text, lengths=lengths)


@pytest.mark.parametrize("cuts", [[1000], [1, 999], [10, 0, 490, 500]])
def test_moments_do_not_depend_on_how_the_stream_is_cut(cuts: list[int]) -> None:
    values = 1e3 + torch.randn(1000, 5, generator=torch.Generator().manual_seed(0))
    running = RunningMoments()
    for part in values.split(cuts):
        running.update(part)
    found = running.finish()
    assert found.count == 1000
    assert torch.allclose(found.mean, values.double().mean(0).float(), rtol=1e-6)
    assert torch.allclose(found.std, values.double().std(0).float(), rtol=1e-5)


@pytest.mark.gpu
def test_moments_taken_on_a_gpu_are_those_taken_on_the_cpu() -> None:
    values = 1e3 + torch.randn(20_000, 5, generator=torch.Generator().manual_seed(0))
    here, there = RunningMoments(), RunningMoments()
    for part in values.split(9000):
        here.update(part)
        there.update(part.cuda())
    assert there.finish().count == 20_000
    assert torch.allclose(there.finish().mean, here.finish().mean, rtol=1e-6)
    assert torch.allclose(there.finish().std, here.finish().std, rtol=1e-6)


def test_noise_has_the_moments_it_was_asked_for() -> None:
    wanted = moments()
    noise = draw_noise(wanted, 200_000, seed=3)
    assert torch.allclose(noise.mean(0), wanted.mean, atol=0.02)
    assert torch.allclose(noise.std(0), wanted.std, rtol=0.02)


def test_noise_never_touches_the_global_generator() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    draw_noise(moments(), 10, seed=0)
    assert torch.equal(before, torch.get_rng_state())


def test_each_sample_draw_and_seed_has_its_own_noise(digits: Benchmark) -> None:
    one, two = digits.samples[:2]
    seeds = {
        text_seed(seed, sample, draw)
        for seed in (0, 1)
        for sample in (one, two)
        for draw in range(4)
    }
    assert len(seeds) == 16
    assert text_seed(0, one, 0) != vision_seed(0, one, 0)


def test_questions_about_one_image_share_its_noise(digits: Benchmark) -> None:
    sample = digits.samples[0]
    sibling = next(s for s in digits.samples if s.group_id == sample.group_id and s.id != sample.id)
    assert vision_seed(0, sample, 2) == vision_seed(0, sibling, 2)
    assert text_seed(0, sample, 2) != text_seed(0, sibling, 2)


def test_masking_changes_the_named_positions_and_nothing_else(
    statistics: NoiseStatistics, digits: Benchmark
) -> None:
    samples = digits.samples[:2]
    embeddings = torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(4))
    vision = torch.tensor([[0, 1, 1, 0, 0], [1, 1, 0, 0, 0]], dtype=torch.bool)
    text = torch.tensor([[0, 0, 0, 1, 0], [0, 0, 0, 1, 1]], dtype=torch.bool)
    before = embeddings.clone()
    masker = Masker(statistics=statistics, seed=0)
    captured, batch = Captured(embeddings=embeddings, keywords={}), encoded(vision, text)

    def changed(**hidden: bool) -> torch.Tensor:
        rows = [MaskedRow(index=index, **hidden) for index in range(2)]
        edited = masker.masked(captured, batch, samples, rows).embeddings
        return (edited != embeddings).any(-1)

    assert torch.equal(changed(vision=True, text=True), vision | text)
    assert torch.equal(changed(vision=True), vision)
    assert torch.equal(changed(text=True), text)
    assert not changed().any()
    assert torch.equal(embeddings, before)


def test_a_samples_noise_is_the_same_alone_and_in_any_batch(
    statistics: NoiseStatistics, digits: Benchmark
) -> None:
    samples = digits.samples[:3]
    embeddings = torch.zeros(3, 4, 6)
    positions = torch.ones(3, 4, dtype=torch.bool)
    masker = Masker(statistics=statistics, seed=0)

    def edited(first: int) -> torch.Tensor:
        batch = encoded(positions[first:], ~positions[first:])
        rows = [MaskedRow(index=i, vision=True, draw=1) for i in range(3 - first)]
        captured = Captured(embeddings=embeddings[first:], keywords={})
        return masker.masked(captured, batch, samples[first:], rows).embeddings

    assert torch.equal(edited(0)[2:], edited(2))


def deepstack() -> Captured:
    """Two samples with two and three image positions, and features for the first two layers."""
    positions = torch.tensor([[0, 1, 1, 0, 0], [1, 1, 1, 0, 0]], dtype=torch.bool)
    layers = [torch.arange(30.0).reshape(5, 6) + 100 * layer for layer in range(2)]
    keywords = {"visual_pos_masks": positions, "deepstack_visual_embeds": layers}
    side = side_streams(keywords, {}, 2)
    keywords.pop("deepstack_visual_embeds")
    return Captured(embeddings=torch.zeros(2, 5, 6), keywords=keywords, side=side)


def test_a_side_channel_is_masked_with_its_modality_and_by_its_own_noise(
    statistics: NoiseStatistics, digits: Benchmark
) -> None:
    captured, samples = deepstack(), digits.samples[:2]
    vision = captured.keywords["visual_pos_masks"]
    side = {f"deepstack_visual_embeds.{layer}": moments(seed=7 + layer) for layer in range(2)}
    masker = Masker(statistics=dataclasses.replace(statistics, side=side), seed=0)
    rows = [
        MaskedRow(index=1, vision=True),
        MaskedRow(index=0),
        MaskedRow(index=1, text=True),
        MaskedRow(index=0, vision=True),
    ]
    found = masker.masked(captured, encoded(vision, ~vision), samples, rows).arguments()
    assert torch.equal(found["visual_pos_masks"], vision[[1, 0, 1, 0]])
    for layer, values in enumerate(found["deepstack_visual_embeds"]):
        first, second = (torch.arange(30.0).reshape(5, 6) + 100 * layer).split([2, 3])
        assert torch.equal(values[3:8], torch.cat([first, second]))
        assert not (values[:3] == second).any()
        assert not (values[8:] == first).any()
    one, two = found["deepstack_visual_embeds"]
    noise = [
        (values[:3] - of.mean) / of.std
        for values, of in zip((one, two), side.values(), strict=True)
    ]
    assert not torch.allclose(*noise), "two streams share their draws"


def test_a_side_channel_without_statistics_is_refused(
    statistics: NoiseStatistics, digits: Benchmark
) -> None:
    captured = deepstack()
    vision = captured.keywords["visual_pos_masks"]
    masker = Masker(statistics=statistics, seed=0)
    with pytest.raises(UnsupportedModel, match=r"deepstack_visual_embeds\.0"):
        masker.masked(
            captured,
            encoded(vision, ~vision),
            digits.samples[:2],
            [MaskedRow(index=0, vision=True)],
        )


def test_statistics_survive_the_disk_and_their_digest_tells_them_apart(
    statistics: NoiseStatistics, tmp_path: Path
) -> None:
    path = tmp_path / "statistics" / "x.safetensors"
    statistics.save(path)
    assert NoiseStatistics.load(path).digest == statistics.digest
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]
    other = dataclasses.replace(statistics, text=moments(seed=9))
    assert other.digest != statistics.digest


def test_statistics_of_side_channels_are_kept_and_told_apart(
    statistics: NoiseStatistics, tmp_path: Path
) -> None:
    side = {"b.1": moments(seed=3, dimensions=4), "b.0": moments(seed=4)}
    more = dataclasses.replace(statistics, side=side)
    more.save(tmp_path / "x.safetensors")
    kept = NoiseStatistics.load(tmp_path / "x.safetensors")
    assert kept.digest == more.digest
    assert kept.side.keys() == side.keys()
    assert torch.equal(kept.of("b.1").std, side["b.1"].std)
    assert len({statistics.digest, more.digest, other_names(more).digest}) == 3


def other_names(statistics: NoiseStatistics) -> NoiseStatistics:
    renamed = {f"other {name}": moments for name, moments in statistics.side.items()}
    return dataclasses.replace(statistics, side=renamed)
