"""Encoded images: from where they are read, what is refused before it is decoded."""

import io
import struct
import zlib
from pathlib import Path

import PIL.Image
import pytest

from data_cache import images
from data_cache.errors import BenchmarkError
from data_cache.images import ImageFile, check_image, open_image


def png(side: int, colour: int = 7) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes whose header says that it has side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


@pytest.mark.parametrize("side", [7100, 20_000, 100_000])
def test_an_image_of_more_than_fifty_million_pixels_is_refused_by_its_header(side: int) -> None:
    with pytest.raises(BenchmarkError, match=r"bomb\.png has .* pixels; at most 50"):
        check_image(bomb(side), "bomb.png")


def test_an_image_of_less_is_opened_without_a_warning_of_pillow() -> None:
    assert open_image(bomb(7000), "large.png").size == (7000, 7000)


@pytest.mark.parametrize("raw", [b"", b"GIF89a", b"hello", png(8)[:20]])
def test_bytes_that_are_no_image_are_refused_by_name(raw: bytes) -> None:
    with pytest.raises(BenchmarkError, match=r"the cell is not an image that Pillow can read"):
        check_image(raw, "the cell")


def test_a_bomb_makes_no_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(20_000))
    with pytest.raises(BenchmarkError, match="at most 50 million"):
        ImageFile(path=path).thumbnail()


def test_a_file_that_changed_since_its_digest_was_taken_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(png(8))
    known = ImageFile(path=path, known_digest=images.sha256(png(8)))
    assert known.read() == png(8)
    path.write_bytes(png(9))
    with pytest.raises(BenchmarkError, match=r"image\.png has changed since the benchmark was"):
        known.read()


def test_an_image_has_exactly_one_place(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="not both and not neither"):
        ImageFile()
    with pytest.raises(BenchmarkError, match="not both and not neither"):
        ImageFile(data=b"x", path=tmp_path)
