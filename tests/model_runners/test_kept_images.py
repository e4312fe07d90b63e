"""Encoded images and noise statistics across runs: the same bits, and no encoder pass twice."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_cache import encoded_images
from data_cache.encoded_images import is_whole, listed
from data_cache.location import run_directory, statistics_directory, vision_directory
from data_cache.samples import Benchmark
from model_runners import vision
from model_runners.encoding import encode
from model_runners.errors import BadOption
from model_runners.kept_images import chosen, encoder_of, kept_images, key_of
from model_runners.loading import LoadedModel, load
from model_runners.masking import NoiseStatistics
from model_runners.profile import ProfileOptions, ProfileReport, profile
from model_runners.statistics import stored_statistics
from model_runners.vision import VisionCache, by_image, merge
from tests.model_runners import zoo


@pytest.fixture(autouse=True)
def everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small models encode an image faster than a file is read."""
    monkeypatch.setenv("PIDSCOPE_VISION_CACHE", "always")
    monkeypatch.setattr(encoded_images, "FREE_BYTES", 0)


class Tower:
    """Counts what goes through the encoder of every model."""

    images = 0


@pytest.fixture
def tower(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tower]:
    counted = Tower()
    real = vision.encode_images

    def encode_images(loaded, pictures):
        counted.images += len(pictures)
        return real(loaded, pictures)

    monkeypatch.setattr(vision, "encode_images", encode_images)
    return counted


def run(model: Path, cache: Path, **changes: object) -> ProfileReport:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 12, "draws": 1, "device": "cpu",
    } | changes  # fmt: skip
    return profile(ProfileOptions(**given), cache)  # pyright: ignore[reportArgumentType]


def chunks(cache: Path, key: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run_directory(cache, key).glob("*.parquet")}


@pytest.mark.slow
def test_another_template_seed_or_scope_encodes_no_image_again(
    untrained: Path, tmp_path: Path, tower: Tower
) -> None:
    run(untrained, tmp_path)
    assert tower.images > 0
    tower.images = 0
    run(untrained, tmp_path, template="Look.\n{question}\n{options}\nAnswer with a letter.")
    run(untrained, tmp_path, mask_scope="question")
    run(untrained, tmp_path, seed=1)
    assert tower.images == 0


def test_more_draws_of_the_same_images_encode_none_of_them_again(
    untrained: Path, tmp_path: Path, tower: Tower, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(untrained, tmp_path)
    assert tower.images > 0
    tower.images = 0
    run(untrained, tmp_path, draws=2)
    assert tower.images == 0
    # And what was computed from files is what was computed at first, to the last bit.
    before = chunks(tmp_path, first.run_key)
    shutil.rmtree(run_directory(tmp_path, first.run_key))
    run(untrained, tmp_path)
    run(untrained, tmp_path, draws=2)
    assert tower.images == 0
    monkeypatch.setenv("PIDSCOPE_VISION_CACHE", "off")
    alone = run(untrained, tmp_path / "without")
    assert tower.images > 0
    assert not vision_directory(tmp_path / "without").exists()
    assert before.items() >= chunks(tmp_path / "without", alone.run_key).items()


def test_damaged_images_and_statistics_are_made_again(
    untrained: Path, tmp_path: Path, tower: Tower
) -> None:
    first = run(untrained, tmp_path)
    before = chunks(tmp_path, first.run_key)
    made, tower.images = tower.images, 0
    files = [path for path, _, _ in listed(vision_directory(tmp_path))]
    assert len(files) == made
    (statistics,) = statistics_directory(tmp_path).iterdir()
    for path in (*files, statistics):
        content = bytearray(path.read_bytes())
        content[-3] ^= 8
        path.write_bytes(content)
    shutil.rmtree(run_directory(tmp_path, first.run_key))
    run(untrained, tmp_path)
    assert tower.images >= made > 0
    assert all(is_whole(path) for path in files)
    assert chunks(tmp_path, first.run_key) == before
    assert stored_statistics(statistics) is not None


@pytest.mark.parametrize("family", ["oracle", "qwen", "qwen3_vl"])
def test_what_is_read_is_what_was_written(
    family: str, digits: Benchmark, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One tensor per image, rows of patches, and vectors past the embeddings."""
    loaded: LoadedModel = (
        load(str(zoo.build(family, tmp_path / "model")), device="cpu")
        if family == "qwen3_vl"
        else request.getfixturevalue(family)
    )
    samples = digits.samples[:6]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    first = VisionCache(kept=kept_images(loaded, tmp_path))
    made = merge(loaded, batch, samples, images=first)
    second = VisionCache(kept=kept_images(loaded, tmp_path))
    read = merge(loaded, batch, samples, images=second)
    assert (first.read, second.encoded) == (0, 0)
    assert second.read == first.encoded > 0
    assert torch.equal(made.embeddings, read.embeddings)
    for name, stream in made.side.items():
        assert all(
            torch.equal(one, other)
            for one, other in zip(stream.vectors, read.side[name].vectors, strict=True)
        )


def test_another_encoder_or_other_pixels_have_another_name(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    assert encoder_of(replace(oracle, adapter="1" * 16)) == encoder_of(oracle)
    for changed in ({"weights": "0" * 16}, {"dtype": "bfloat16"}, {"quantisation": "4bit"}):
        assert encoder_of(replace(oracle, **changed)) != encoder_of(oracle)
    some = encode(oracle.processor, digits.samples[:8], image_token_id=oracle.image_token_id)
    first, *_, second = by_image(oracle.family, some.inputs)
    assert key_of(first) != key_of(second)
    assert key_of(first) == key_of({name: value.clone() for name, value in first.items()})
    assert key_of(first) != key_of({name: value.double() for name, value in first.items()})


def test_only_what_is_slow_to_encode_is_kept(
    oracle: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIDSCOPE_VISION_CACHE", "auto")
    kept = kept_images(oracle, tmp_path)
    assert kept is not None
    pictures, encoded = {"pixel_values": torch.ones(3)}, {"features": torch.ones(300_000)}
    assert not kept.keep(pictures, encoded, seconds=0.005)  # 1.2 MB take 6 ms to read
    assert kept.find(pictures, oracle.device) is None
    assert kept.keep(pictures, encoded, seconds=0.05)
    found = kept.find(pictures, oracle.device)
    assert found is not None
    assert torch.equal(found["features"], encoded["features"])


def test_the_settings_are_refused_where_they_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIDSCOPE_VISION_GIB", "0.5")
    assert chosen() == ("always", 2**29)
    monkeypatch.setenv("PIDSCOPE_VISION_GIB", "much")
    with pytest.raises(BadOption, match="PIDSCOPE_VISION_GIB must be a number"):
        chosen()
    monkeypatch.setenv("PIDSCOPE_VISION_CACHE", "yes")
    with pytest.raises(BadOption, match="must be auto, always or off, not 'yes'"):
        chosen()


def test_statistics_of_an_older_version_are_read(oracle: LoadedModel, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from model_runners.masking import Moments

    moments = Moments(mean=torch.ones(3), std=torch.ones(3), count=7)
    other = Moments(mean=torch.zeros(3), std=torch.ones(3), count=7)
    NoiseStatistics(vision=moments, text=other).save(tmp_path / "new.safetensors")
    save_file(load_file(tmp_path / "new.safetensors"), tmp_path / "old.safetensors")
    old = stored_statistics(tmp_path / "old.safetensors")
    assert old is not None
    assert old.vision.count == 7
    (tmp_path / "cut.safetensors").write_bytes((tmp_path / "old.safetensors").read_bytes()[:50])
    assert stored_statistics(tmp_path / "cut.safetensors") is None
