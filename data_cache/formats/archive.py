"""A zip archive of images, read in its place: one of 19 GB need not be unpacked for 2,000 files."""

import zipfile
import zlib
from pathlib import Path, PurePosixPath
from types import TracebackType

from data_cache.errors import BenchmarkError

MOST_BYTES = 256 << 20
"""An unpacked file that is larger is refused: it is no image of a benchmark."""

UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error),
    *(RuntimeError, NotImplementedError),  # a password, an unknown compression
)


class ImageArchive:
    """A zip archive, open for reading; a context manager."""

    def __init__(self, path: Path):
        """Open it and read the names in it.

        Raises
        ------
        BenchmarkError
            If it is no zip archive, or only a part of one.
        """
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise BenchmarkError(
                f"{path} is no readable zip archive ({error}); was its download stopped?"
            ) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in self._archive.infolist():
            self._members.setdefault(PurePosixPath(member.filename).name, member)

    def __enter__(self) -> "ImageArchive":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._archive.close()

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, in whatever folder of the archive it is; None where it is in none.

        Raises
        ------
        BenchmarkError
            If it cannot be unpacked, or is larger than `MOST_BYTES`.
        """
        member = self._members.get(PurePosixPath(name.replace("\\", "/")).name)
        if member is None:
            return None
        what = f"{member.filename} in {self.path}"
        if member.file_size > MOST_BYTES:
            raise BenchmarkError(
                f"{what} has {member.file_size >> 20} MB unpacked; at most {MOST_BYTES >> 20} MB "
                "are read"
            )
        try:
            return self._archive.read(member)
        except UNREADABLE as error:
            raise BenchmarkError(f"{what} cannot be unpacked: {error}") from error
