"""Frames of a video as images, for models that look at pictures; PyAV decodes them."""

import io
from typing import Any

from data_cache.errors import BenchmarkError
from data_cache.images import MediaFile, VideoFrame

INSTALL = "python -m pip install av"


def read_frame(frame: VideoFrame) -> bytes:
    """Return one frame of a video as a PNG.

    Of `count` frames, frame i is the first at or after the middle of the i-th of as many equal
    parts of the video.

    Raises
    ------
    BenchmarkError
        If PyAV is not installed, or the video cannot be decoded or has no such frame.
    """
    av = pyav()
    path = frame.video.what
    try:
        with av.open(frame.video.opened()) as container:
            if not container.streams.video:
                raise BenchmarkError(f"{path} has no video track; leave it out or replace it")
            stream = container.streams.video[0]
            wanted = (frame.index + 0.5) / frame.count
            seconds = _seconds(container, stream)
            found = _first_from(container, stream, wanted * seconds) if seconds else None
            if found is None:  # no duration in the header, or it says more than there is
                found = _counted(av, frame.video, wanted)
            buffer = io.BytesIO()
            found.to_image().save(buffer, "PNG", compress_level=1)
            return buffer.getvalue()
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BenchmarkError(f"the video {path} cannot be decoded: {error}") from error


def check_video(video: MediaFile) -> None:
    """Refuse a file that has no video track.

    Raises
    ------
    BenchmarkError
        If it is none, or PyAV is not installed.
    """
    seconds_of(video)


def pyav() -> Any:
    """Return the package that decodes videos and sound.

    Raises
    ------
    BenchmarkError
        If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise BenchmarkError(
            f"videos and sounds are read with PyAV; install it: {INSTALL}"
        ) from error
    return av


def seconds_of(video: MediaFile) -> float | None:
    """Return how long a video's pictures last; None where its header does not say.

    Raises
    ------
    BenchmarkError
        If it cannot be opened or has no pictures, or PyAV is not installed.
    """
    av = pyav()
    try:
        with av.open(video.opened()) as container:
            if not container.streams.video:
                raise BenchmarkError(f"{video.what} has no video track; leave it out or replace it")
            return _seconds(container, container.streams.video[0])
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BenchmarkError(f"the video {video.what} cannot be decoded: {error}") from error


def _seconds(container: Any, stream: Any) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None


def _first_from(container: Any, stream: Any, seconds: float) -> Any | None:
    """Return the first frame shown at or after a time, None where there is none."""
    start = (stream.start_time or 0) * stream.time_base
    container.seek(int((seconds + float(start)) / stream.time_base), stream=stream)
    for picture in container.decode(stream):
        if picture.time is None or picture.time - float(start) >= seconds:
            return picture
    return None


def _counted(av: Any, video: MediaFile, wanted: float) -> Any:
    """Decode everything and take the frame at a share of the whole."""
    path = video.what
    with av.open(video.opened()) as container:
        count = sum(1 for _ in container.decode(video=0))
    if not count:
        raise BenchmarkError(f"the video {path} has no frames; leave it out or replace it")
    with av.open(video.opened()) as container:
        for index, picture in enumerate(container.decode(video=0)):
            if index == int(wanted * count):
                return picture
    raise BenchmarkError(f"the video {path} has other frames than it had; is it being written?")
