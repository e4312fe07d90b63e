"""Where the images of benchmarks are found again by their content: one SQLite file of a cache.

An image that comes inside a table is kept here once, however many rows show it. Of an image that is
a file of the user's, only its place and its content's hash are kept, so that it is not read again
while size and time of change stay the same. All of it can be made anew by reading the benchmark
again.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from data_cache.errors import BenchmarkError
from data_cache.images import (
    ImageFile,
    MediaFile,
    StoredImage,
    VideoFrame,
    check_image,
    read_file,
    sha256,
)
from data_cache.location import databases_directory, require_local
from data_cache.permission import require_writing

FILE_NAME = "images.sqlite"
COMMIT_BYTES = 64 << 20
"""New images are committed whenever so many bytes of them are waiting."""
PATIENCE = 60.0
"""Seconds to wait for another writer."""

_TABLES = """
CREATE TABLE IF NOT EXISTS images (digest TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, modified INTEGER NOT NULL, digest TEXT NOT NULL,
    problem TEXT);
CREATE INDEX IF NOT EXISTS files_by_digest ON files (digest);
"""


def store_path(cache: Path) -> Path:
    """Return the path of the store."""
    return databases_directory(cache) / FILE_NAME


class ImageStore:
    """The store of a cache, open for adding; a context manager, used by one thread."""

    def __init__(self, cache: Path):
        """Open it, and make it where there is none.

        Raises
        ------
        BenchmarkError
            If the folder cannot be written.
        ReadOnly
            If nothing may be written.
        """
        require_writing("keep the images of a benchmark")
        self._cache = cache
        self._waiting = 0
        # One object for all questions about an image: of 50,000 samples they would weigh 25 MB.
        self._kept: dict[str, ImageFile] = {}
        self._files: dict[str, tuple[tuple[int, int], ImageFile]] = {}
        try:
            require_local(cache).mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(store_path(cache), timeout=PATIENCE)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(cache, error) from error

    def __enter__(self) -> "ImageStore":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep what was added, also where something else went wrong."""
        try:
            self._connection.commit()
        finally:
            self._connection.close()

    def keep(self, raw: bytes, what: str) -> ImageFile:
        """Keep an encoded image, once for all that is equal to it.

        Parameters
        ----------
        raw
            The encoded bytes.
        what
            What to call it in a message.

        Raises
        ------
        BenchmarkError
            If it is no image, or too large a one, or the store cannot be written.
        """
        digest = sha256(raw)
        if digest in self._kept:
            return self._kept[digest]
        image = ImageFile(stored=StoredImage(cache=self._cache, digest=digest))
        check_image(raw, what)
        try:
            if not self._connection.execute(
                "SELECT 1 FROM images WHERE digest = ?", [digest]
            ).fetchall():
                self._connection.execute(
                    "INSERT OR IGNORE INTO images VALUES (?, ?)", [digest, raw]
                )
                self._waiting += len(raw)
                if self._waiting > COMMIT_BYTES:
                    self._connection.commit()
                    self._waiting = 0
        except sqlite3.Error as error:
            raise _unusable(self._cache, error) from error
        self._kept[digest] = image
        return image

    def file(self, path: Path) -> ImageFile:
        """Return an image that is a file; its content is hashed where it was not seen before.

        Raises
        ------
        BenchmarkError
            If there is no such file, or it is no image, or too large a one.
        """
        path = path.absolute()
        size, modified = stamp = _stamp(path, "image")
        seen = self._files.get(str(path))
        if seen is not None and seen[0] == stamp:
            return seen[1]
        known = self._known(path, size, modified)
        if known is None:
            raw = read_file(path)
            problem: str | None = None
            try:
                check_image(raw, str(path))
            except BenchmarkError as error:
                problem = str(error)
            known = (sha256(raw), problem)
            self._remember(path, size, modified, *known)
        digest, problem = known
        if problem is not None:
            raise BenchmarkError(problem)
        image = ImageFile(path=path, known_digest=digest)
        self._files[str(path)] = (stamp, image)
        return image

    def video(self, path: Path, frames: int) -> tuple[MediaFile, tuple[ImageFile, ...]]:
        """Return a video, and some of its frames at equal distances as images.

        Raises
        ------
        BenchmarkError
            If there is no such file, or it is no video.
        """
        from data_cache.videos import check_video

        video = self._media(path, "video", check_video)
        return video, tuple(
            ImageFile(frame=VideoFrame(video=video, index=index, count=frames))
            for index in range(frames)
        )

    def sound(self, path: Path) -> MediaFile:
        """Return a file with a sound track.

        Raises
        ------
        BenchmarkError
            If there is no such file, or it has no sound.
        """
        from data_cache.sounds import check_sound

        return self._media(path, "sound", check_sound)

    def _media(self, path: Path, kind: str, check: Callable[[MediaFile], None]) -> MediaFile:
        """Return a file that a check has passed, which is remembered while it does not change."""
        path = path.absolute()
        size, modified = _stamp(path, kind)
        known = self._known(path, size, modified)
        if known is None:
            problem: str | None = None
            digest = _digest_of_file(path)
            try:
                check(MediaFile(path=path, digest=digest))
            except BenchmarkError as error:
                if isinstance(error.__cause__, ImportError):
                    raise
                problem = str(error)
            known = (digest, problem)
            self._remember(path, size, modified, *known)
        digest, problem = known
        if problem is not None:
            raise BenchmarkError(problem)
        return MediaFile(path=path, digest=digest)

    def _known(self, path: Path, size: int, modified: int) -> tuple[str, str | None] | None:
        try:
            rows = self._connection.execute(
                "SELECT digest, problem FROM files WHERE path = ? AND size = ? AND modified = ?",
                [str(path), size, modified],
            ).fetchall()
        except sqlite3.Error as error:
            raise _unusable(self._cache, error) from error
        return rows[0] if rows else None

    def _remember(
        self, path: Path, size: int, modified: int, digest: str, problem: str | None
    ) -> None:
        try:
            self._connection.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                [str(path), size, modified, digest, problem],
            )
        except sqlite3.Error as error:
            raise _unusable(self._cache, error) from error


def original(cache: Path, digest: str) -> bytes | None:
    """Return an encoded original by its content's hash; None where it is not on this machine.

    Parameters
    ----------
    cache
        The cache folder.
    digest
        SHA-256 of the encoded bytes, hexadecimal.
    """
    if not store_path(cache).is_file():
        return None
    try:
        connection = _reader(cache)
        rows = connection.execute("SELECT data FROM images WHERE digest = ?", [digest]).fetchall()
        if rows:
            return rows[0][0]
        places = connection.execute("SELECT path FROM files WHERE digest = ?", [digest]).fetchall()
    except sqlite3.Error:
        return None
    for (place,) in places:
        try:
            raw = Path(place).read_bytes()
        except OSError:
            continue
        if sha256(raw) == digest:
            return raw
    return None


def known_digest(cache: Path, path: Path) -> str | None:
    """Return the content's hash of a file that a benchmark named; None where it is not that file.

    Parameters
    ----------
    cache
        The cache folder.
    path
        Of an image or a video; one that was changed since the benchmark was read is another.
    """
    if not store_path(cache).is_file():
        return None
    try:
        size, modified = _stamp(path, "file")
        rows = (
            _reader(cache)
            .execute(
                "SELECT digest FROM files WHERE path = ? AND size = ? AND modified = ?",
                [str(path.absolute()), size, modified],
            )
            .fetchall()
        )
    except (BenchmarkError, sqlite3.Error):
        return None
    return rows[0][0] if rows else None


def stored_bytes(image: StoredImage) -> bytes:
    """Return the bytes of an image in a store.

    Raises
    ------
    BenchmarkError
        If the store has it no longer.
    """
    try:
        rows = (
            _reader(image.cache)
            .execute("SELECT data FROM images WHERE digest = ?", [image.digest])
            .fetchall()
        )
    except sqlite3.Error as error:
        raise _unusable(image.cache, error) from error
    if not rows:
        raise BenchmarkError(
            f"an image of the benchmark is no longer in {store_path(image.cache)}; read the "
            "benchmark again"
        )
    return rows[0][0]


_open = threading.local()


def _reader(cache: Path) -> sqlite3.Connection:
    """Return this thread's connection for reading; a file that was replaced is opened anew."""
    path = store_path(cache)
    if not path.is_file():
        raise sqlite3.OperationalError(f"there is no {path}")
    inode = path.stat().st_ino
    held: dict[Path, tuple[int, sqlite3.Connection]] = _open.__dict__.setdefault("held", {})
    if path not in held or held[path][0] != inode:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE)
        held[path] = (inode, connection)
    return held[path][1]


def _stamp(path: Path, kind: str) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise BenchmarkError(f"the {kind} {path} cannot be read: {error.strerror}") from error
    if path.is_dir():
        raise BenchmarkError(f"the {kind} {path} is a folder")
    return found.st_size, found.st_mtime_ns


def _digest_of_file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BenchmarkError(f"the video {path} cannot be read: {error.strerror}") from error


def _unusable(cache: Path, error: Exception) -> BenchmarkError:
    return BenchmarkError(
        f"the images in {store_path(cache)} cannot be read or written ({error}); check the disk, "
        "or delete the file: it is made anew when benchmarks are read"
    )
