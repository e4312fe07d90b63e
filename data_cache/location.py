"""Where a cache folder lies and what lies where inside it."""

import hashlib
import os
import re
import shlex
from pathlib import Path

from data_cache.errors import CacheError
from data_cache.file_systems import network_mount

ENVIRONMENT_VARIABLE = "PIDSCOPE_CACHE"
DATABASES_VARIABLE = "PIDSCOPE_DATABASES"
DEFAULT_DIRECTORY = "~/.cache/pidscope"

SAMPLES = "samples"
QUARANTINE = "quarantine"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def cache_directory(option: str | os.PathLike[str] | None = None) -> Path:
    """Return the cache folder: the option, else $PIDSCOPE_CACHE, else ~/.cache/pidscope.

    The folder need not exist; writers create it.

    Raises
    ------
    CacheError
        If the path names a file.
    """
    chosen = os.fspath(option) if option is not None else os.environ.get(ENVIRONMENT_VARIABLE, "")
    path = Path(chosen or DEFAULT_DIRECTORY).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise CacheError(f"{path} is a file, not a folder; choose a cache folder with --cache")
    return path


def checked_key(key: str, what: str = "run key") -> str:
    """Return `key` if it can safely be a folder's name.

    Raises
    ------
    CacheError
        If it has other characters than letters, digits, dot, dash and underscore, or is reserved.
    """
    if not _KEY.fullmatch(key) or key in {SAMPLES, QUARANTINE}:
        raise CacheError(f"{key!r} is no {what}; keys are hexadecimal digits, see `list runs`")
    return key


def databases_directory(cache: Path) -> Path:
    """Return the folder of the databases: the cache itself, or its own in $PIDSCOPE_DATABASES.

    A cache on a network folder keeps its chunks there, for many machines; each machine has its
    databases on a disk of its own. What lies in them can be made again from the chunks.

    Raises
    ------
    CacheError
        If the variable is no absolute path.
    """
    named = os.environ.get(DATABASES_VARIABLE, "")
    if not named:
        return cache
    if not Path(named).expanduser().is_absolute():
        raise CacheError(f"${DATABASES_VARIABLE} is {named!r}; give an absolute path")
    whole = cache.absolute()
    digest = hashlib.sha256(os.fsencode(whole)).hexdigest()[:8]
    return Path(named).expanduser() / f"{whole.name}-{digest}"


def require_local(cache: Path) -> Path:
    """Return the folder of the databases if they may lie there.

    Raises
    ------
    CacheError
        If it is on a network file system.
    """
    folder = databases_directory(cache)
    mount = network_mount(folder)
    if mount is not None:
        raise CacheError(
            f"the databases of {cache} may not lie on a network file system ({mount.kind} at "
            f"{mount.point}), whose locks do not hold between machines; its chunks may: set "
            f"{DATABASES_VARIABLE} to a folder on a disk of this machine"
        )
    return folder


def database_path(cache: Path) -> Path:
    """Return the path of the DuckDB file, which can be rebuilt from the spool."""
    return databases_directory(cache) / "cache.duckdb"


def spool_directory(cache: Path) -> Path:
    """Return the folder of the chunks, the record from which all else is rebuilt."""
    return cache / "spool"


def run_directory(cache: Path, run_key: str) -> Path:
    """Return the folder of one run's sidecar, prediction chunks and estimates."""
    return spool_directory(cache) / checked_key(run_key)


def estimates_directory(cache: Path, run_key: str) -> Path:
    """Return the folder of one run's estimates."""
    return run_directory(cache, run_key) / "estimates"


def samples_directory(cache: Path, benchmark_key: str) -> Path:
    """Return the folder of one benchmark's sample chunks."""
    return spool_directory(cache) / SAMPLES / checked_key(benchmark_key, "benchmark key")


def quarantine_directory(cache: Path) -> Path:
    """Return the folder of the chunks that broke a rule, each with a .txt that says which."""
    return spool_directory(cache) / QUARANTINE


def statistics_directory(cache: Path) -> Path:
    """Return the folder of the noise statistics."""
    return cache / "statistics"


def vision_directory(cache: Path) -> Path:
    """Return the folder of encoded images, see `encoded_images`."""
    return cache / "vision"


def times_path(cache: Path, run_key: str) -> Path:
    """Return the path of the record of where a run's time went."""
    return cache / "times" / f"{checked_key(run_key)}.json"


def adapter_directory(cache: Path, key: str | None = None) -> Path:
    """Return the folder of one adapter, or of all of them."""
    folder = cache / "adapters"
    return folder if key is None else folder / checked_key(key, "adapter key")


def derived_directory(cache: Path) -> Path:
    """Return the folder of what was computed from stored results, see `derived`."""
    return cache / "derived"


def trajectories_directory(cache: Path) -> Path:
    """Return the folder of what is known of the checkpoints of trainings."""
    return cache / "trajectories"


def lens_path(cache: Path, key: str) -> Path:
    """Return the path of a tuned lens."""
    return cache / "lenses" / f"{checked_key(key, 'lens key')}.safetensors"


def selection_path(cache: Path, key: str) -> Path:
    """Return the path of the samples that somebody chose for a job."""
    return cache / "selections" / f"{checked_key(key, 'selection key')}.json"


def exports_directory(cache: Path) -> Path:
    """Return the folder of the files that pages write for a person to take along."""
    return cache / "exports"


def jobs_path(cache: Path) -> Path:
    """Return the path of the SQLite file of the jobs."""
    return databases_directory(cache) / "jobs.sqlite"


def tags_path(cache: Path) -> Path:
    """Return the path of the SQLite file of the tags and saved slices."""
    return cache / "tags.sqlite"


def spare_path(cache: Path) -> Path:
    """Return the path of the bytes that are given up on a full disk, see `jobs_file`."""
    return databases_directory(cache) / ".spare"


def log_path(cache: Path, job_key: str) -> Path:
    """Return the path of what a job's process wrote."""
    return cache / "logs" / f"{checked_key(job_key, 'job key')}.log"


def command(verb: str, cache: Path) -> str:
    """Return the command line that runs `verb` on this cache, for messages."""
    return f"`python -m model_runners {verb} --cache {shlex.quote(str(cache))}`"
