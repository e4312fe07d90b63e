"""What a model's encoder made of images, kept in files named by what it was given.

Nothing here is a result: a file that is lost, damaged or in the way costs one more pass of the
encoder. So files are not synced, the least recently used go first, and what does not fit its own
checksum is removed and counts as missing.
"""

import contextlib
import hashlib
import os
import re
import shutil
import time
from pathlib import Path

from data_cache.atomic import temporary_path
from data_cache.location import vision_directory

CHECKSUM_BYTES = 32
FREE_BYTES = 4 << 30
"""Left on the disk for what is a result: with less, nothing is kept."""
FRESH_SECONDS = 3600.0
"""How old the time of a file's last use may get before it is written again."""
TRIM_BYTES = 256 << 20
"""The folder is measured again whenever so much was added."""
KEPT_SHARE = 0.9
"""Of the limit, where something had to go."""
_KEY = re.compile(r"[0-9a-f]{16,64}")


class EncodedImages:
    """The files of one model in one cache folder, within a limit for all models together."""

    def __init__(self, cache: Path, model: str, *, limit_bytes: int):
        """Open the folder, which need not exist.

        Parameters
        ----------
        cache
            The cache folder.
        model
            Hexadecimal digits that name the encoder.
        limit_bytes
            What the images of all models may take on the disk; 0 keeps none.
        """
        self.folder = vision_directory(cache) / _checked(model)
        self._root = vision_directory(cache)
        self._limit = limit_bytes
        self._opened = time.time()
        self._added: int | None = None
        self._is_full = False
        self.damaged = 0
        """Files that did not fit their checksum; they are gone."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever kept of this model."""
        return not self.folder.is_dir()

    def path(self, key: str) -> Path:
        """Return where an image lies, whether it does or not."""
        return self.folder / _checked(key)[:2] / f"{key}.bin"

    def read(self, key: str) -> bytes | None:
        """Return what was kept under a key; None where there is nothing that is whole."""
        path = self.path(key)
        try:
            with path.open("rb") as file:
                checksum, content = file.read(CHECKSUM_BYTES), file.read()
                used = os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        if hashlib.sha256(content).digest() != checksum:
            self.damaged += 1
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        if time.time() - used > FRESH_SECONDS:
            with contextlib.suppress(OSError):  # a folder that may only be read
                os.utime(path)
        return content

    def write(self, key: str, content: bytes) -> bool:
        """Keep something under a key, whole or not at all; returns whether it is kept.

        Where the folder is full of what this process has added, or cannot be written, nothing is.
        """
        if self._is_full:
            return False
        if self._added is None or self._added > TRIM_BYTES:
            self._added = 0
            self._is_full = not self._has_room(len(content))
            if self._is_full:
                return False
        path = self.path(key)
        temporary = temporary_path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("xb") as file:
                    file.write(hashlib.sha256(content).digest())
                    file.write(content)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError:
            self._is_full = True
            return False
        self._added += len(content)
        return True

    def _has_room(self, size: int) -> bool:
        """Make room for `TRIM_BYTES` more, and say whether there is."""
        parent = next(one for one in (self._root, *self._root.parents) if one.is_dir())
        if shutil.disk_usage(parent).free < FREE_BYTES or size > self._limit:
            return False
        files = sorted(listed(self._root), key=lambda one: one[2])
        total = sum(length for _, length, _ in files)
        if total + size <= self._limit:
            return True
        for path, length, used in files:
            if used >= self._opened - FRESH_SECONDS:
                break  # of a run that goes on: to throw these out would be to make them in turns
            with contextlib.suppress(OSError):
                path.unlink()
                total -= length
            if total + size <= KEPT_SHARE * self._limit:
                break
        return total + size <= self._limit


def listed(folder: Path) -> list[tuple[Path, int, float]]:
    """Return every file below a folder with its bytes and the time of its last use."""
    found: list[tuple[Path, int, float]] = []
    for path in folder.rglob("*.bin"):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found.append((path, status.st_size, status.st_mtime))
    return found


def is_whole(path: Path) -> bool:
    """Whether a file fits its own checksum."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return hashlib.sha256(content[CHECKSUM_BYTES:]).digest() == content[:CHECKSUM_BYTES]


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError(f"an encoded image is named by hexadecimal digits, not {key!r}")
    return key
