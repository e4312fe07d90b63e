"""What an encoded image is: where it lies, what it holds, how large it may be."""

import hashlib
import io
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.errors import BenchmarkError

if TYPE_CHECKING:
    import PIL.Image

MAX_PIXELS = 50_000_000
"""A larger image is refused before it is decoded: a few kilobytes can unpack to gigabytes."""


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A video or a sound, on disk or in memory."""

    digest: str
    """SHA-256 of the file, hexadecimal."""
    path: Path | None = None
    data: bytes | None = field(default=None, repr=False)
    """The encoded bytes, where they lie on no disk."""

    def __post_init__(self) -> None:
        """Exactly one place must be given."""
        if (self.path is None) == (self.data is None):
            raise BenchmarkError("a video or a sound needs either its path or its bytes")

    @property
    def what(self) -> str:
        """What to call it in a message."""
        return "a sound or video in memory" if self.path is None else str(self.path)

    def opened(self) -> str | io.BytesIO:
        """Return what a decoder opens: the path, or the bytes as a file."""
        return str(self.path) if self.data is None else io.BytesIO(self.data)


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """An image in the image store of a cache."""

    cache: Path
    digest: str
    """SHA-256 of the encoded bytes, hexadecimal."""


@dataclass(frozen=True, kw_only=True)
class VideoFrame:
    """One of some frames taken at equal distances from a video."""

    video: MediaFile
    index: int
    """From 0."""
    count: int
    """How many frames are taken of the whole video."""


@dataclass(frozen=True, kw_only=True)
class ImageFile:
    """An encoded image (PNG, JPEG, ...), in memory or on disk; decoded only where it is needed."""

    data: bytes | None = field(default=None, repr=False)
    """The encoded bytes."""
    path: Path | None = None
    """Where the encoded file lies."""
    stored: StoredImage | None = None
    """Where in an image store it lies."""
    frame: VideoFrame | None = None
    """Which frame of which video it is."""
    known_digest: str | None = field(default=None, repr=False)
    """Of a file whose content was seen before; reading it again checks that it is the same."""

    def __post_init__(self) -> None:
        """Exactly one place must be given."""
        places = (self.data, self.path, self.stored, self.frame)
        if sum(place is not None for place in places) != 1:
            raise BenchmarkError(
                "an image needs either its bytes or its path (or a place in a store, or in a "
                "video), not both and not neither"
            )

    @property
    def what(self) -> str:
        """What to call it in a message."""
        if self.path is not None:
            return str(self.path)
        if self.frame is not None:
            return f"frame {self.frame.index + 1} of {self.frame.video.what}"
        return "an image"

    def read(self) -> bytes:
        """Return the encoded bytes.

        Raises
        ------
        BenchmarkError
            If they cannot be read, or the file has changed since the benchmark was read.
        """
        if self.data is not None:
            return self.data
        if self.stored is not None:
            from data_cache.image_store import stored_bytes

            return stored_bytes(self.stored)
        if self.frame is not None:
            from data_cache.videos import read_frame

            return read_frame(self.frame)
        assert self.path is not None
        raw = read_file(self.path)
        if self.known_digest is not None and sha256(raw) != self.known_digest:
            raise BenchmarkError(
                f"the image {self.path} has changed since the benchmark was read; start again"
            )
        return raw

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the encoded bytes, hexadecimal; of the file's name where it cannot be read.

        So one file that is missing makes one sample that cannot be run, not a benchmark that cannot
        be read; with the file it is another benchmark. A frame has that of its video and its place.
        """
        if self.known_digest is not None:
            return self.known_digest
        if self.stored is not None:
            return self.stored.digest
        if self.frame is not None:
            place = f"frame {self.frame.index} of {self.frame.count}: {self.frame.video.digest}"
            return sha256(place.encode())
        try:
            return sha256(self.read())
        except BenchmarkError:
            name = self.path.name if self.path is not None else ""
            return sha256(b"cannot be read: " + name.encode())

    def thumbnail(self, side: int = 256) -> bytes:
        """Return a PNG or JPEG of at most `side` x `side` pixels, as a model sees the image."""
        from data_cache.thumbnails import thumbnail

        return thumbnail(self.read(), self.what, side)


# A broken PNG is a SyntaxError or a ValueError for Pillow.
UNREADABLE = (OSError, SyntaxError, ValueError)


def open_image(raw: bytes, what: str) -> "PIL.Image.Image":
    """Open an encoded image, its pixels not decoded yet.

    Parameters
    ----------
    raw
        The encoded bytes.
    what
        What to call it in a message.

    Raises
    ------
    BenchmarkError
        If it is no image that Pillow can read, or has more than `MAX_PIXELS` pixels.
    """
    import warnings

    import PIL.Image

    try:
        with warnings.catch_warnings():
            # Pillow warns of large images and refuses only those of twice its limit; ours is below.
            warnings.simplefilter("ignore", PIL.Image.DecompressionBombWarning)
            image = PIL.Image.open(io.BytesIO(raw))
    except PIL.Image.DecompressionBombError as error:
        raise BenchmarkError(_too_large(what, "far more")) from error
    except UNREADABLE as error:
        raise not_an_image(what, error) from error
    if image.width * image.height > MAX_PIXELS:
        raise BenchmarkError(_too_large(what, f"{image.width} x {image.height}"))
    return image


def check_image(raw: bytes, what: str) -> None:
    """Refuse what is no image or too large a one; only the header is read.

    Raises
    ------
    BenchmarkError
        As `open_image`.
    """
    open_image(raw, what)


def not_an_image(what: str, error: Exception) -> BenchmarkError:
    """Return the error for bytes that are no image."""
    # Pillow's own sentence names an object in memory.
    reason = "it has no header of one" if "BytesIO" in str(error) else str(error)
    return BenchmarkError(f"{what} is not an image that Pillow can read: {reason}")


def read_file(path: Path) -> bytes:
    """Return the bytes of an image's file.

    Raises
    ------
    BenchmarkError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchmarkError(f"the image {path} cannot be read: {error.strerror}") from error


def sha256(raw: bytes) -> str:
    """Return the SHA-256 of bytes, hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def _too_large(what: str, size: str) -> str:
    return f"{what} has {size} pixels; at most {MAX_PIXELS // 1_000_000} million are decoded"
