"""How results travel: runs with their samples and spectra in one file, and into another cache.

A bundle is a ZIP file that nothing has been compressed in (Parquet is already): `bundle.json`,
which says what is in it and the SHA-256 of each file, and the files as they lie in the spool.

Where the other cache has a file of that name with other bytes, it keeps its own: both are the same
work, done twice. Names say what a file holds, so there is nothing else that could be in the way.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from data_cache.atomic import sync_directory, temporary_path
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import command, spool_directory
from data_cache.permission import require_writing
from data_cache.runs import read_sidecar
from data_cache.spool_parts import Part, check_part, part_of, spool_files

MANIFEST = "bundle.json"
BUNDLE_VERSION = 1
_ORDER = {part: rank for rank, part in enumerate(Part)}
_PIECE = 1 << 20

Report = Callable[[int, int], None]
"""Called with how many files of how many are done."""


def _silent(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class BundleReport:
    """What became of the files of a bundle."""

    taken: tuple[str, ...] = ()
    """Names of files that were not here, or were replaced."""
    same: int = 0
    """Files that were here already."""
    kept: tuple[str, ...] = ()
    """Names of files of which another version was here, and still is."""
    refused: tuple[tuple[str, str], ...] = ()
    """Name and reason of each file that is not what it should be."""


def write_bundle(
    cache: Path, target: Path, run_keys: Collection[str], *, report: Report = _silent
) -> list[str]:
    """Write some runs into one file; returns the names of what is in it.

    Parameters
    ----------
    cache
        The cache folder.
    target
        The file; one that is there is replaced when the new one is whole.
    run_keys
        The runs; the samples of their benchmarks go with them.
    report
        Where progress goes.

    Raises
    ------
    CacheError
        If there are no runs, one of them cannot be read, or the file cannot be written.
    """
    require_writing(f"write {target.name}")
    if not run_keys:
        raise CacheError(f"no run of {cache} was chosen; see {command('list runs', cache)}")
    sidecars = [read_sidecar(cache, key) for key in sorted(run_keys)]
    benchmarks = {str(one.config["benchmark_key"]) for one in sidecars}
    chosen = [
        (name, path)
        for name, path in spool_files(cache)
        if (found := part_of(name)) is not None
        and found[1] in (benchmarks if found[0] is Part.SAMPLES else set(run_keys))
    ]
    unfinished = temporary_path(target)
    try:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(unfinished, "x", zipfile.ZIP_STORED) as file:
                files: dict[str, dict[str, Any]] = {}
                for done, (name, path) in enumerate(chosen):
                    report(done, len(chosen))
                    content = path.read_bytes()
                    digest = hashlib.sha256(content).hexdigest()
                    files[name] = {"bytes": len(content), "sha256": digest}
                    file.writestr(zipfile.ZipInfo(name), content)
                runs = [{"run_key": one.run_key, **_identity(one.config)} for one in sidecars]
                about = {"schema_version": BUNDLE_VERSION, "runs": runs, "files": files}
                file.writestr(zipfile.ZipInfo(MANIFEST), json.dumps(about, indent=1))
            with unfinished.open("rb+") as written:
                os.fsync(written.fileno())
            os.replace(unfinished, target)
            sync_directory(target.parent)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise CacheError(
            f"{target} could not be written ({error.strerror}); free some space, or choose "
            "another place"
        ) from error
    report(len(chosen), len(chosen))
    return [name for name, _ in chosen]


def is_bundle(path: Path) -> bool:
    """Whether a file is a bundle, of whatever version."""
    try:
        with zipfile.ZipFile(path) as file:
            return MANIFEST in file.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_bundle(
    cache: Path, source: Path, *, replace: bool = False, report: Report = _silent
) -> BundleReport:
    """Take the files of a bundle into the spool; `ingest` then makes rows of them.

    Each file is held to its checksum and to the rules of its kind before it appears in the spool.
    Stopped and started again, it goes on: what is here already is not taken twice.

    Parameters
    ----------
    cache
        The cache folder; made where it is missing.
    source
        The bundle.
    replace
        Where another version of a file is here, take the bundle's.
    report
        Where progress goes.

    Raises
    ------
    CacheError
        If the file is no bundle, names a place outside the spool, or the disk is full.
    SchemaTooNew
        If a newer PIDscope wrote it.
    ReadOnly
        If nothing may be written.
    """
    require_writing("import a bundle")
    with _opened(source) as file:
        files = _manifest(file, source)
        taken: list[str] = []
        kept: list[str] = []
        refused: list[tuple[str, str]] = []
        same = 0
        stage = temporary_path(cache / "bundle")
        spool = spool_directory(stage)
        try:
            for done, (name, digest) in enumerate(files):
                report(done, len(files))
                here = spool_directory(cache) / name
                if here.is_file():
                    if _digest_of(here) == digest:
                        same += 1
                        continue
                    if not replace:
                        kept.append(name)
                        continue
                try:
                    _unpack(file, name, spool / name, digest)
                    check_part(spool, name)
                except SchemaTooNew:
                    raise
                except CacheError as error:
                    refused.append((name, str(error)))
                    continue
                here.parent.mkdir(parents=True, exist_ok=True)
                os.replace(spool / name, here)
                sync_directory(here.parent)
                taken.append(name)
        except OSError as error:
            raise CacheError(
                f"{cache} could not be written ({error.strerror}); free some space and import "
                f"{source.name} again: what was taken over is kept"
            ) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)
        report(len(files), len(files))
    return BundleReport(taken=tuple(taken), same=same, kept=tuple(kept), refused=tuple(refused))


@contextmanager
def _opened(source: Path) -> Generator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source) as file:
            yield file
    except OSError as error:
        raise CacheError(f"{source} cannot be read ({error.strerror})") from error
    except zipfile.BadZipFile as error:
        raise CacheError(f"{source} is no whole bundle ({error}); copy it again") from error


def _manifest(file: zipfile.ZipFile, source: Path) -> list[tuple[str, str]]:
    """Return name and SHA-256 of each file, in the order in which they are taken over."""
    try:
        about = cast(dict[str, Any], json.loads(file.read(MANIFEST)))
        version = int(about["schema_version"])
        files = {str(name): str(one["sha256"]) for name, one in about["files"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CacheError(
            f"{source} is no bundle of PIDscope: its {MANIFEST} is not what it should be"
        ) from error
    if version > BUNDLE_VERSION:
        raise SchemaTooNew(
            f"{source} was written by a newer PIDscope (schema {version}, this one reads "
            f"{BUNDLE_VERSION}); upgrade"
        )
    parts = {name: part_of(name) for name in files}
    for name, found in parts.items():
        if found is None:
            raise CacheError(
                f"{source} names {name!r}, which is no file of a spool; nothing was imported"
            )
    # The samples and the run come before what belongs to them.
    return sorted(files.items(), key=lambda one: (_ORDER[cast(Any, parts[one[0]])[0]], one[0]))


def _unpack(file: zipfile.ZipFile, name: str, target: Path, digest: str) -> None:
    try:
        entry = file.getinfo(name)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise CacheError(f"{name} is compressed, as no bundle's files are")
        target.parent.mkdir(parents=True, exist_ok=True)
        found = hashlib.sha256()
        with file.open(entry) as packed, target.open("xb") as unpacked:
            while piece := packed.read(_PIECE):
                found.update(piece)
                unpacked.write(piece)
            unpacked.flush()
            os.fsync(unpacked.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise CacheError(f"{name} is missing or damaged in the bundle: {error}") from error
    if found.hexdigest() != digest:
        raise CacheError(f"{name} is not what the bundle says it is (another SHA-256)")


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _identity(config: dict[str, Any]) -> dict[str, str]:
    return {name: str(config[name]) for name in ("model", "benchmark")}
