"""Noise: matched moments, seeded by what it replaces."""

import dataclasses
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.masking import (
    Masker,
    Moments,
    NoiseStatistics,
    RunningMoments,
    draw_noise,
    text_seed,
    vision_seed,
)


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
    edited = masker.mask(embeddings, samples, vision=vision, text=text, draw=0)
    changed = (edited != embeddings).any(-1)
    assert torch.equal(changed, vision | text)
    assert torch.equal(embeddings, before)
    assert torch.equal(masker.mask(embeddings, samples, vision=None, text=None, draw=0), embeddings)


def test_a_samples_noise_is_the_same_alone_and_in_any_batch(
    statistics: NoiseStatistics, digits: Benchmark
) -> None:
    samples = digits.samples[:3]
    embeddings = torch.zeros(3, 4, 6)
    positions = torch.ones(3, 4, dtype=torch.bool)
    masker = Masker(statistics=statistics, seed=0)
    together = masker.mask(embeddings, samples, vision=positions, text=None, draw=1)
    alone = masker.mask(embeddings[2:], samples[2:], vision=positions[2:], text=None, draw=1)
    assert torch.equal(together[2:], alone)


def test_statistics_survive_the_disk_and_their_digest_tells_them_apart(
    statistics: NoiseStatistics, tmp_path: Path
) -> None:
    path = tmp_path / "statistics" / "x.safetensors"
    statistics.save(path)
    assert NoiseStatistics.load(path).digest == statistics.digest
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]
    other = dataclasses.replace(statistics, text=moments(seed=9))
    assert other.digest != statistics.digest
