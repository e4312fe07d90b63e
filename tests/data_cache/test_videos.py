"""Frames of videos: equal distances, what is no video."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from data_cache.errors import BenchmarkError
from data_cache.image_store import ImageStore

av = pytest.importorskip("av", reason="PyAV reads videos: pip install av")


def write_video(path: Path, frames: int = 8) -> Path:
    """Write frames of a growing grey, four a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            grey = np.full((48, 64, 3), 20 + number * 25, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_frames_are_taken_from_the_middle_of_equal_parts(tmp_path: Path) -> None:
    write_video(tmp_path / "grey.mp4")
    with ImageStore(tmp_path / "cache") as store:
        _, frames = store.video(tmp_path / "grey.mp4", 4)
    seen = [PIL.Image.open(io.BytesIO(frame.read())).getpixel((5, 5)) for frame in frames]
    # Frames 1, 3, 5 and 7 of 8; the codec is lossy.
    assert [round(colour[0]) for colour in seen] == pytest.approx([45, 95, 145, 195], abs=6)
    assert len({frame.digest for frame in frames}) == 4


def test_another_number_of_frames_makes_other_images(tmp_path: Path) -> None:
    write_video(tmp_path / "grey.mp4")
    with ImageStore(tmp_path / "cache") as store:
        video, two = store.video(tmp_path / "grey.mp4", 2)
        same, four = store.video(tmp_path / "grey.mp4", 4)
    assert video == same
    assert not {frame.digest for frame in two} & {frame.digest for frame in four}


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("hello")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with ImageStore(tmp_path / "cache") as store:
        for name in ("text.mp4", "empty.mp4"):
            with pytest.raises(BenchmarkError, match=f"{name} cannot be decoded"):
                store.video(tmp_path / name, 4)
        with pytest.raises(BenchmarkError, match="No such file"):
            store.video(tmp_path / "none.mp4", 4)
