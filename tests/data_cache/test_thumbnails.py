import io

import numpy as np
import PIL.Image
import pytest

from data_cache.errors import BenchmarkError
from data_cache.images import ImageFile
from data_cache.thumbnails import THUMBNAIL_SIDE, as_seen, as_shown, thumbnail

CAMERA_HELD_SIDEWAYS = 6


def encoded(image: PIL.Image.Image, kind: str = "PNG", **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def drawn(width: int, height: int) -> PIL.Image.Image:
    """Red on the left, blue on the right, brighter to the bottom."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return PIL.Image.fromarray(np.stack([255 * (1 - x), 200 * y, 255 * x], -1).astype(np.uint8))


def decoded(raw: bytes) -> np.ndarray:
    return np.asarray(PIL.Image.open(io.BytesIO(raw)).convert("RGB")).astype(int)


def sideways(width: int, height: int) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = CAMERA_HELD_SIDEWAYS
    return encoded(drawn(width, height), "JPEG", exif=exif, quality=95)


def sixteen_bits(side: int) -> bytes:
    grey = np.linspace(0, 65535, side * side).reshape(side, side).astype(np.uint16)
    return encoded(PIL.Image.fromarray(grey))


def animated(width: int, height: int) -> bytes:
    other = PIL.Image.new("RGB", (width, height), "white")
    return encoded(drawn(width, height), "GIF", save_all=True, append_images=[other])


def transparent(width: int, height: int) -> bytes:
    image = drawn(width, height).convert("RGBA")
    image.putalpha(0)
    return encoded(image)


ODD = {
    "sideways": sideways,
    "16 bits": lambda width, height: sixteen_bits(width),
    "animated": animated,
    "transparent": transparent,
    "CMYK": lambda width, height: encoded(drawn(width, height).convert("CMYK"), "JPEG"),
    "palette": lambda width, height: encoded(drawn(width, height).quantize(16)),
    "one bit": lambda width, height: encoded(
        drawn(width, height).convert("1", dither=PIL.Image.Dither.NONE)
    ),
    "webp": lambda width, height: encoded(drawn(width, height), "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("side", [40, 700])
def test_a_thumbnail_shows_what_a_model_is_given(kind, side):
    raw = ODD[kind](side, side * 3 // 4)
    given = as_seen(PIL.Image.open(io.BytesIO(raw)))
    small = PIL.Image.open(io.BytesIO(thumbnail(raw, "it")))
    assert small.format in {"PNG", "JPEG"}
    assert max(small.size) == min(side, THUMBNAIL_SIDE)
    expected = np.asarray(given.resize(small.size, PIL.Image.Resampling.BOX)).astype(int)
    tolerance = 0 if side == 40 else 12  # of a JPEG
    assert np.abs(np.asarray(small.convert("RGB")) - expected).mean() <= tolerance


@pytest.mark.parametrize("kind", ODD)
def test_in_full_size_it_is_shown_as_a_model_is_given_it(kind):
    raw = ODD[kind](400, 300)
    shown = PIL.Image.open(io.BytesIO(as_shown(raw, "it")))
    assert shown.format in {"PNG", "JPEG"}
    given = as_seen(PIL.Image.open(io.BytesIO(raw)))
    assert shown.convert("RGB").tobytes() == given.tobytes()
    assert shown.getexif().get(0x0112, 1) == 1


def test_an_image_of_a_camera_held_sideways_stands_upright():
    small = decoded(thumbnail(sideways(800, 400), "it"))
    assert small.shape[:2] == (256, 128)
    top, bottom = small[:20].mean((0, 1)), small[-20:].mean((0, 1))
    assert top[0] > 200 > 50 > top[2], "the left of the file, red, is the top of what was seen"
    assert bottom[2] > 200 > 50 > bottom[0]


def test_grey_values_of_16_bits_are_not_white():
    values = decoded(thumbnail(sixteen_bits(64), "it"))[..., 0]
    assert np.abs(values.ravel() - np.linspace(0, 255, 64 * 64)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_small_plain_images_stay_as_they_are(kind):
    raw = encoded(drawn(256, 100), kind)
    assert thumbnail(raw, "it") == raw
    assert ImageFile(data=raw).thumbnail() == raw
    assert thumbnail(raw, "it", side=64) != raw


def test_a_large_photograph_looks_as_if_it_were_decoded_whole():
    raw = encoded(drawn(1600, 1200), "JPEG", quality=95)
    whole = PIL.Image.open(io.BytesIO(raw)).convert("RGB")
    whole.thumbnail((256, 256))
    small = decoded(thumbnail(raw, "it"))
    assert small.shape == (192, 256, 3)
    assert np.abs(small - np.asarray(whole)).mean() < 3


def test_equal_images_give_equal_thumbnails():
    assert thumbnail(sideways(500, 300), "a") == thumbnail(sideways(500, 300), "b")


@pytest.mark.parametrize("raw", [b"", b"no image", encoded(drawn(300, 300))[:500]])
def test_what_is_no_image_is_named(raw):
    with pytest.raises(BenchmarkError, match=r"the image x\.png is not an image"):
        thumbnail(raw, "the image x.png")
