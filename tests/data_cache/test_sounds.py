"""Sound of files and of videos: rate, channels, length, and what has none."""

from pathlib import Path

import numpy as np
import pytest

from data_cache.benchmarks.digits_av import encode_wav
from data_cache.errors import BenchmarkError
from data_cache.images import MediaFile, sha256
from data_cache.sounds import check_sound, read_sound
from tests.data_cache.test_videos import write_video

pytest.importorskip("av", reason="PyAV reads sounds: pip install av")

WAVE = (8000 * np.sin(2 * np.pi * 440 * np.arange(4000) / 8000)).astype(np.int16)


def in_memory(data: bytes) -> MediaFile:
    return MediaFile(data=data, digest=sha256(data))


def test_a_wave_comes_back_as_it_was_written() -> None:
    sound = read_sound(in_memory(encode_wav(WAVE)), rate=8000, most_seconds=10)
    assert sound.seconds == 0.5
    assert not sound.cut
    np.testing.assert_allclose(sound.waveform * 2**15, WAVE, atol=1)


def test_it_is_resampled_and_keeps_its_pitch_and_length() -> None:
    sound = read_sound(in_memory(encode_wav(WAVE)), rate=16000, most_seconds=10)
    assert sound.seconds == pytest.approx(0.5, abs=1e-3)
    spectrum = np.abs(np.fft.rfft(sound.waveform))
    assert np.argmax(spectrum) / sound.seconds == pytest.approx(440, abs=4)


def test_what_is_longer_than_asked_for_is_cut_and_says_so() -> None:
    sound = read_sound(in_memory(encode_wav(WAVE)), rate=8000, most_seconds=0.2)
    assert sound.cut
    assert len(sound.waveform) == 1600


@pytest.mark.parametrize("read", [check_sound, lambda one: read_sound(one, rate=8, most_seconds=1)])
def test_a_video_without_sound_and_a_text_are_named(read, tmp_path: Path) -> None:
    silent = MediaFile(path=write_video(tmp_path / "grey.mp4"), digest="0" * 64)
    with pytest.raises(BenchmarkError, match=r"grey\.mp4 has no sound track"):
        read(silent)
    with pytest.raises(BenchmarkError, match="cannot be decoded"):
        read(in_memory(b"hello"))


def test_an_empty_sound_is_refused() -> None:
    with pytest.raises(BenchmarkError, match="empty"):
        read_sound(in_memory(encode_wav(WAVE[:0])), rate=8000, most_seconds=1)


def test_a_file_lies_in_one_place() -> None:
    with pytest.raises(BenchmarkError, match="path or its bytes"):
        MediaFile(digest="0" * 64)
