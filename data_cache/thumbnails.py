"""What a model is given of an encoded image, and the small picture of it that pages show."""

import io
from typing import TYPE_CHECKING

from data_cache.images import UNREADABLE, not_an_image, open_image

if TYPE_CHECKING:
    import PIL.Image

THUMBNAIL_SIDE = 256
"""Pixels; a page of 24 such images draws six times faster than one of full-size images."""

_PLAIN = frozenset({"1", "L", "RGB", "P"})
"""Modes that a browser shows as a model sees them."""
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


def as_seen(image: "PIL.Image.Image") -> "PIL.Image.Image":
    """Return an opened image as models are given it: the first frame, upright, in RGB.

    A camera's note of how it was held is followed; grey values of 16 bits become those of 8, where
    Pillow by itself would make nearly all of them white; what is transparent shows its colour.

    Raises
    ------
    OSError, SyntaxError, ValueError
        If the pixels cannot be decoded; `images.UNREADABLE` holds these.
    """
    import PIL.ImageOps

    if image.mode in _SIXTEEN_BITS:
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return PIL.ImageOps.exif_transpose(image).convert("RGB")


def thumbnail(raw: bytes, what: str, side: int = THUMBNAIL_SIDE) -> bytes:
    """Return a PNG or JPEG of at most `side` x `side` pixels that shows what a model is given.

    An image that is small and plain already stays as it is.

    Parameters
    ----------
    raw
        The encoded image.
    what
        What to call it in a message.
    side
        Pixels.

    Raises
    ------
    BenchmarkError
        If it is no image that Pillow can read, or too large a one.
    """
    try:
        with open_image(raw, what) as image:
            is_small = max(image.size) <= side
            if is_small and _is_plain(image):
                return raw
            if image.format == "JPEG":
                # A large one is decoded at a half, a quarter, ... of its size.
                shrink = side / max(image.size)
                image.draft(None, (int(image.width * shrink), int(image.height * shrink)))
            small = as_seen(image)
    except UNREADABLE as error:
        raise not_an_image(what, error) from error
    buffer = io.BytesIO()
    if is_small:
        small.save(buffer, "PNG")
    else:
        small.thumbnail((side, side), reducing_gap=2.0)
        small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def as_shown(raw: bytes, what: str) -> bytes:
    """Return an encoded image in full size, in a form that a browser shows as `as_seen` does.

    Raises
    ------
    BenchmarkError
        As `thumbnail`.
    """
    try:
        with open_image(raw, what) as image:
            if _is_plain(image):
                return raw
            whole = as_seen(image)
    except UNREADABLE as error:
        raise not_an_image(what, error) from error
    buffer = io.BytesIO()
    whole.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _is_plain(image: "PIL.Image.Image") -> bool:
    """Whether a browser shows the encoded image as `as_seen` does."""
    orientation = image.getexif().get(0x0112, 1)
    return (
        image.format in {"PNG", "JPEG"}
        and image.mode in _PLAIN
        and orientation == 1
        and "transparency" not in image.info
        and getattr(image, "n_frames", 1) == 1
    )
