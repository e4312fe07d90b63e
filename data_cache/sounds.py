"""What is heard in a sound file, or beside the pictures of a video; PyAV decodes it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from data_cache.errors import BenchmarkError
from data_cache.images import MediaFile
from data_cache.videos import pyav


@dataclass(frozen=True, kw_only=True, eq=False)
class Sound:
    """One channel of sound."""

    waveform: np.ndarray
    """(n,) float32, -1 to 1."""
    rate: int
    """Values per second."""
    cut: bool
    """Whether there is more of it than was asked for."""

    @property
    def seconds(self) -> float:
        """How long it is, as far as it was read."""
        return len(self.waveform) / self.rate


def read_sound(media: MediaFile, *, rate: int, most_seconds: float) -> Sound:
    """Decode the first sound track of a file, mixed down to one channel.

    Parameters
    ----------
    media
        A sound, or a video with sound.
    rate
        Values per second that are wanted; the sound is resampled.
    most_seconds
        What lies behind is not decoded.

    Raises
    ------
    BenchmarkError
        If PyAV is not installed, there is no sound track, it cannot be decoded, or it is empty.
    """
    av = pyav()
    most = max(1, round(most_seconds * rate))
    try:
        with av.open(media.opened()) as container:
            if not container.streams.audio:
                raise BenchmarkError(f"{media.what} has no sound track; leave it out or replace it")
            waveform = _mono(av, container, rate, most + 1)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BenchmarkError(f"the sound of {media.what} cannot be decoded: {error}") from error
    if not len(waveform):
        raise BenchmarkError(f"the sound of {media.what} is empty; leave it out or replace it")
    return Sound(waveform=waveform[:most], rate=rate, cut=len(waveform) > most)


def check_sound(media: MediaFile) -> None:
    """Refuse a file without a sound track.

    Raises
    ------
    BenchmarkError
        If it has none or cannot be opened, or PyAV is not installed.
    """
    av = pyav()
    try:
        with av.open(media.opened()) as container:
            if not container.streams.audio:
                raise BenchmarkError(f"{media.what} has no sound track; leave it out or replace it")
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BenchmarkError(f"the sound of {media.what} cannot be decoded: {error}") from error


def _mono(av: Any, container: Any, rate: int, most: int) -> np.ndarray:
    """Return the first `most` values of the first track, resampled."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    parts: list[np.ndarray] = []
    found = 0

    def add(frame: Any) -> None:  # None takes what the resampler still holds
        nonlocal found
        for piece in resampler.resample(frame):
            values = np.asarray(piece.to_ndarray(), dtype=np.float32).reshape(-1)
            parts.append(values)
            found += len(values)

    for frame in container.decode(audio=0):
        frame.pts = None  # gaps in the time stamps are no silence
        add(frame)
        if found >= most:
            break
    else:
        add(None)
    return np.concatenate(parts)[:most] if parts else np.zeros(0, dtype=np.float32)
