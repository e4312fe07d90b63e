"""Batches that are encoded ahead are those that would be encoded in their time."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_cache.images import ImageFile
from data_cache.location import run_directory
from data_cache.samples import Benchmark
from model_runners import ahead as ahead_module
from model_runners import profile as profiling
from model_runners.ahead import WAITING, Ahead, ahead_of
from model_runners.candidates import Candidates
from model_runners.inference import BatchRunner
from model_runners.loading import LoadedModel
from model_runners.masking import Masker, Moments, NoiseStatistics
from model_runners.profile import ProfileOptions, profile
from model_runners.vision import VisionCache


@pytest.fixture
def runner(oracle: LoadedModel) -> BatchRunner:
    moments = Moments(mean=torch.zeros(64), std=torch.ones(64), count=2)
    return BatchRunner(
        loaded=oracle,
        masker=Masker(statistics=NoiseStatistics(vision=moments, text=moments), seed=0),
        candidates=Candidates.of_model(oracle),
        images=VisionCache(),
        draws=1,
    )


def test_what_was_expected_is_taken_once_and_is_the_same(
    runner: BatchRunner, digits: Benchmark
) -> None:
    ahead = Ahead(runner)
    samples = list(digits.samples[:4])
    ahead.expect(samples)
    for image in (True, False):
        mine = runner.encode(samples, with_image=image)
        its = ahead.take(samples, image=image, sound=True)
        assert its is not None
        assert all(torch.equal(mine.inputs[name], its.inputs[name]) for name in mine.inputs)
        assert torch.equal(mine.text, its.text)
        assert ahead.take(samples, image=image, sound=True) is None
    assert ahead.take(samples[:2], image=True, sound=True) is None
    ahead.close()
    assert runner.watch.beside > 0


def test_no_more_than_two_batches_wait(runner: BatchRunner, digits: Benchmark) -> None:
    ahead = Ahead(runner)
    parts = [list(digits.samples[place : place + 2]) for place in range(0, 8, 2)]
    for part in parts:
        ahead.expect(part)
    found = [ahead.take(part, image=True, sound=True) is not None for part in parts]
    assert found == [False] * (len(parts) - WAITING) + [True] * WAITING
    ahead.close()


def test_a_processor_that_cannot_be_copied_is_used_in_its_time(
    runner: BatchRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Held:
        def __deepcopy__(self, memo: object) -> None:
            raise TypeError("cannot be copied")

    monkeypatch.setattr(ahead_module, "pays", lambda _runner: True)
    held = replace(runner, loaded=replace(runner.loaded, processor=Held()))
    assert ahead_of(held) is None
    found = ahead_of(runner)
    assert found is not None
    found.close()


def test_a_batch_that_cannot_be_encoded_is_left_to_the_one_who_asks(
    runner: BatchRunner, digits: Benchmark
) -> None:
    broken = replace(digits.samples[0], images=(ImageFile(data=b"no image"),))
    ahead = Ahead(runner)
    ahead.expect([broken])
    assert ahead.take([broken], image=True, sound=True) is None
    ahead.close()


@pytest.mark.slow
def test_a_run_ahead_gives_the_bytes_of_one_that_waits(
    untrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=70, draws=1, device="cpu", batch_size=24
    )
    taken: list[bool] = []
    real = Ahead.take

    def take(self, samples, **kinds):
        found = real(self, samples, **kinds)
        taken.append(found is not None)
        return found

    monkeypatch.setattr(Ahead, "take", take)
    chunks: list[dict[str, bytes]] = []
    for is_ahead in (False, True):
        monkeypatch.setattr(profiling, "ahead_of", Ahead if is_ahead else lambda _runner: None)
        cache = tmp_path / str(is_ahead)
        key = profile(options, cache).run_key
        files = run_directory(cache, key).glob("*.parquet")
        chunks.append({path.name: path.read_bytes() for path in files})
    assert chunks[0] == chunks[1]
    # Three batches of the first block and one of the second, with and without the image: only the
    # first of all was asked for before anybody could expect it.
    assert taken == [False, False] + [True] * 6
