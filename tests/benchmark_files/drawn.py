"""Small drawn images, the same bytes for the same name, and images that must be refused."""

import hashlib
import io
import struct
import zlib
from functools import cache

import PIL.Image
import PIL.ImageDraw


@cache
def drawn(name: str) -> bytes:
    """A picture that its name decides: PNG, or JPEG where the name ends so."""
    seed = hashlib.sha256(name.encode()).digest()
    image = PIL.Image.new("RGB", (24 + seed[0] % 8, 20), tuple(seed[1:4]))
    pen = PIL.ImageDraw.Draw(image)
    pen.ellipse((4, 4, 15, 15), fill=tuple(seed[4:7]))
    pen.rectangle((2, 12, 2 + seed[7] % 20, 17), outline=tuple(seed[8:11]))
    return encoded(image, "JPEG" if name.endswith((".jpg", ".jpeg")) else "PNG")


def encoded(image: PIL.Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@cache
def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few hundred kilobytes that would unpack to `side` x `side` pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    packer = zlib.compressobj(9)
    row = b"\x00" * (side // 8 + 1)
    content = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", content)
        + chunk(b"IEND", b"")
    )
