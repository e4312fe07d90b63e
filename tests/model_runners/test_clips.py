"""Clips put to a model: each pair of sources is masked cleanly, and bad media are named."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from data_cache.benchmarks import load_benchmark
from data_cache.images import MediaFile
from data_cache.samples import Benchmark
from model_runners.asking import Asking
from model_runners.encoding import encode
from model_runners.errors import BadSample, SelfTestFailed, UnsupportedModel
from model_runners.loading import LoadedModel, load
from model_runners.selftest import examine, self_test
from model_runners.sources import SOURCES, SourcesName
from tests.model_runners.tiny.qwen import qwen2_5_omni
from tests.model_runners.zoo import build

CLIPS = [name for name, sources in SOURCES.items() if sources.media]
SENSORY = Asking(sources="video-audio")


@pytest.fixture(scope="module")
def omni(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return load(str(build("qwen2_5_omni_thinker", tmp_path_factory.mktemp("omni"))), device="cpu")


@pytest.fixture(scope="module")
def clips() -> Benchmark:
    return load_benchmark("digits_av")


@pytest.mark.parametrize("sources", CLIPS)
def test_each_pair_of_sources_is_masked_without_a_leak(
    omni: LoadedModel, clips: Benchmark, sources: SourcesName
) -> None:
    report = examine(omni, clips.samples[:40], asking=Asking(sources=sources))
    checks = {check.name: check for check in report.checks}
    assert report.passed, [check for check in report.checks if not check.passed]
    assert checks["image_masked"].value == checks["text_masked"].value == 0.0


def test_of_a_whole_model_the_part_that_answers_is_loaded(
    omni: LoadedModel, tmp_path: Path
) -> None:
    whole = load(
        str(build("whole", tmp_path / "whole", models={"whole": qwen2_5_omni})), device="cpu"
    )
    assert type(whole.model) is type(omni.model)
    assert whole.family == omni.family


def test_the_text_of_a_sensory_run_is_no_source(omni: LoadedModel, clips: Benchmark) -> None:
    batch = encode(omni.processor, clips.samples[:3], image_token_id=0, asking=SENSORY)
    ids = batch.inputs["input_ids"]
    assert torch.equal(batch.vision, ids == omni.processor.video_token_id)
    assert torch.equal(batch.text, ids == omni.processor.audio_token_id)
    assert batch.vision.any(1).all()
    assert batch.text.any(1).all()


def test_a_source_can_be_left_out_of_the_prompt(omni: LoadedModel, clips: Benchmark) -> None:
    def shown(**which: bool) -> tuple[bool, bool]:
        batch = encode(omni.processor, clips.samples[:2], image_token_id=0, asking=SENSORY, **which)
        return bool(batch.vision.any()), bool(batch.text.any())

    assert shown() == (True, True)
    assert shown(with_image=False) == (False, True)
    assert shown(with_sound=False) == (True, False)


def test_bad_media_are_named_with_the_sample(
    omni: LoadedModel, clips: Benchmark, tmp_path: Path
) -> None:
    good = clips.samples[0]
    broken = MediaFile(path=tmp_path / "broken.wav", digest="0" * 64)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    for sample, reason in (
        (replace(good, audio=None), "neither a sound nor a video"),
        (replace(good, audio=broken), "broken.wav cannot be decoded"),
        (replace(good, images=()), "no video and no frames"),
    ):
        with pytest.raises(BadSample, match=reason):
            encode(omni.processor, [good, sample], image_token_id=0, asking=SENSORY)


def test_a_model_of_images_alone_is_refused(oracle: LoadedModel, clips: Benchmark) -> None:
    with pytest.raises(UnsupportedModel, match="watches and listens"):
        encode(oracle.processor, clips.samples[:2], image_token_id=0, asking=SENSORY)


def test_one_clip_for_all_proves_nothing(omni: LoadedModel, clips: Benchmark) -> None:
    one = clips.samples[0]
    with pytest.raises(SelfTestFailed, match="two samples with different clips"):
        self_test(omni, [one, replace(one, id="other")], asking=SENSORY)
