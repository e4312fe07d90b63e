"""digits_av: moving handwriting and tones, balanced, with exactly known atoms; real files of it."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from data_cache.benchmarks import load_benchmark
from data_cache.benchmarks.digits_av import (
    FRAMES,
    FREQUENCIES,
    RATE,
    SECONDS,
    TASKS,
    tone_wave,
    write_clips,
)
from data_cache.samples import Benchmark
from data_cache.sounds import read_sound
from data_cache.videos import seconds_of
from pid_core import decompose_joint

pytest.importorskip("av", reason="PyAV reads sounds: pip install av")

ATOM_OF = {
    "synergy": "synergy",
    "video": "unique_1",
    "audio": "unique_2",
    "redundant": "redundancy",
}


@pytest.fixture(scope="module")
def clips() -> Benchmark:
    return load_benchmark("digits_av")


@pytest.mark.parametrize("subset", TASKS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_each_subset_has_two_bits_of_its_atom_given_the_question(
    clips: Benchmark, subset: str, split: str
) -> None:
    joints: dict[str, np.ndarray] = defaultdict(lambda: np.zeros((8, 4, 4)))
    for sample in clips.samples:
        if sample.subset == subset and sample.split == split:
            place = (sample.meta["digit"], sample.meta["tone"], sample.answer)
            joints[sample.question][place] += 1
    assert len(joints) == 2
    for joint in joints.values():
        atoms = decompose_joint(joint / joint.sum()).atoms
        for name, value in atoms.items():
            assert value == pytest.approx(2.0 if name == ATOM_OF[subset] else 0.0, abs=1e-3)


def test_no_digit_and_no_sound_is_in_both_splits(clips: Benchmark) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for sample in clips.samples:
        assert sample.audio is not None
        assert len(sample.images) == FRAMES
        seen[sample.split] |= {sample.audio.digest, sample.group_id}
    assert not seen["train"] & seen["test"]


@pytest.mark.parametrize("tone", range(4))
def test_a_tone_has_its_pitch(tone: int) -> None:
    waveform = tone_wave(tone, np.random.default_rng(tone)).astype(float)
    pitch = np.argmax(np.abs(np.fft.rfft(waveform))) / SECONDS
    assert pitch == pytest.approx(FREQUENCIES[tone], rel=0.05)


def test_real_files_of_it_are_a_benchmark_with_sound(tmp_path: Path) -> None:
    table = write_clips(tmp_path, limit=1)
    read = load_benchmark(str(table), cache=tmp_path / "cache")
    assert {sample.subset for sample in read.samples} == set(TASKS)
    for sample in read.samples:
        assert sample.video is not None
        assert seconds_of(sample.video) == pytest.approx(SECONDS, abs=0.05)
        sound = read_sound(sample.video, rate=RATE, most_seconds=1)
        assert float(np.abs(sound.waveform).max()) > 0.05
