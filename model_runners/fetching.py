"""How a benchmark comes from the hub: who has it, how large it is, and where it is put."""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_cache.benchmarks import entry_of, loader_of
from data_cache.benchmarks.finding import NotFound, find, hub_cache
from data_cache.benchmarks.source import Found, HubFiles, Source
from data_cache.errors import BenchmarkError
from data_cache.permission import require_writing
from model_runners import hub
from model_runners.unwatched import ignore

LOOK_SECONDS = 10.0
"""How long the hub may take to say what a data set has."""


@dataclass(frozen=True, kw_only=True)
class RemoteFiles:
    """What the hub has of a benchmark, and what of it is not here yet."""

    repo: str
    patterns: tuple[str, ...]
    """Of the files that are taken."""
    files: tuple[str, ...]
    size: int
    """Of these files, in bytes."""
    missing: int
    """Bytes that would come over the network."""
    free: int
    """Free bytes where the hub's cache lies."""
    cache: Path

    @property
    def described(self) -> str:
        """One line: how much would be loaded from where to where.

        >>> RemoteFiles(repo="a/b", patterns=("*",), files=("c", "d"), size=5 << 30,
        ...     missing=5 << 30, free=90 << 30, cache=Path("/c")).described
        'a/b from the hub: 2 files, 5.0 GiB to download, 90.0 GiB free in /c'
        """
        count = f"{len(self.files)} file" + ("" if len(self.files) == 1 else "s")
        rest = f" ({hub.written_bytes(self.size)} in all)" if self.missing != self.size else ""
        return (
            f"{self.repo} from the hub: {count}, {hub.written_bytes(self.missing)} to download"
            f"{rest}, {hub.written_bytes(self.free)} free in {self.cache}"
        )


def fetch_benchmark(name: str, *, tell: Callable[[str], None] = ignore) -> Found:
    """Bring the files of a benchmark into the hub's cache, unless they are here.

    Parameters
    ----------
    name
        As in `list benchmarks`.
    tell
        Told what is downloaded, before it is.

    Raises
    ------
    BenchmarkError
        If there is no such benchmark, the hub does not have or give it, or there is no room.
    """
    if entry_of(name).built_in:
        raise BenchmarkError(f"{name} is made by PIDscope; there is nothing to fetch")
    loader, variant = loader_of(name)
    source = loader.SOURCE
    found = find(source, name.partition(":")[0], variant)
    if not isinstance(found, NotFound):
        return found
    remote = look(source, variant)
    if remote.missing > remote.free:
        raise BenchmarkError(
            f"there is no room for {remote.described}; free some space, or name a larger disk in "
            "HF_HOME"
        )
    tell(remote.described)
    download(remote)
    found = find(source, name.partition(":")[0], variant)
    if isinstance(found, NotFound):
        raise BenchmarkError(
            f"{remote.repo} was downloaded into {remote.cache}, but {source.title} was not found "
            f"in it; look at {page_of(remote.repo)} and give the place of its files with --data"
        )
    return found


def look(source: Source, variant: str, *, timeout: float = LOOK_SECONDS) -> RemoteFiles:
    """Ask the hub who has a variant and how large it is; nothing is downloaded.

    Raises
    ------
    BenchmarkError
        If no data set of the hub is known to have it, or none of them gives it.
    """
    offered = source.variants[variant].hub
    if not offered:
        way = source.way(variant) or f"see {source.homepage}"
        raise BenchmarkError(f"{source.title} ({variant}) is not on the hub: {way}")
    refused: list[str] = []
    for files in offered:
        for repo in files.repos:
            try:
                return _look(repo, files, timeout)
            except _NotThere as error:
                refused.append(str(error))
    way = f"; {source.way(variant)}" if source.way(variant) else ""
    raise BenchmarkError(f"{' and '.join(refused)}{way}")


def download(remote: RemoteFiles) -> None:
    """Download the files; bars on stderr show how far it is.

    Raises
    ------
    BenchmarkError
        If the hub stops giving them.
    """
    require_writing("download a benchmark")
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(
            remote.repo,
            repo_type="dataset",
            allow_patterns=list(remote.patterns),
            cache_dir=remote.cache,
        )
    except hub.hub_errors() as error:
        raise explained(remote.repo, error) from error


def page_of(repo: str) -> str:
    """Return the address of a data set's page."""
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/datasets/{repo}"


class _NotThere(BenchmarkError):
    """One data set does not have it; another may."""


def _look(repo: str, files: HubFiles, timeout: float) -> RemoteFiles:
    from huggingface_hub import HfApi, try_to_load_from_cache

    try:
        info = HfApi().dataset_info(repo, files_metadata=True, timeout=timeout)
    except hub.hub_errors() as error:
        raise explained(repo, error) from error
    there: dict[str, Any] = {file.rfilename: file for file in info.siblings or ()}
    lacking = [one for one in files.patterns if not fnmatch.filter(there, one)]
    if lacking:
        raise _NotThere(f"{page_of(repo)} has no {', '.join(lacking)}")
    patterns = (*files.patterns, *files.extra)
    wanted = sorted({name for one in patterns for name in fnmatch.filter(there, one)})
    sizes = {name: int(there[name].size or 0) for name in wanted}
    cache = hub_cache()
    here = {
        name
        for name in wanted
        if isinstance(
            try_to_load_from_cache(
                repo, name, cache_dir=cache, repo_type="dataset", revision=info.sha
            ),
            str,
        )
    }
    return RemoteFiles(
        repo=repo,
        patterns=patterns,
        files=tuple(wanted),
        size=sum(sizes.values()),
        missing=sum(size for name, size in sizes.items() if name not in here),
        free=hub.free_bytes(cache),
        cache=cache,
    )


def explained(repo: str, error: BaseException) -> BenchmarkError:
    """Turn what the hub says into one sentence with what to do next."""
    from huggingface_hub import constants, errors

    page = page_of(repo)
    login = "log in with `hf auth login` (or set HF_TOKEN)"
    if not hasattr(error, "response"):  # wrapped, because the cache was looked into after it
        error = next((one for one in hub.causes_of(error) if hasattr(one, "response")), error)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        return BenchmarkError(
            f"{repo} is gated ({status}): accept its terms at {page}, then {login}"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return _NotThere(
            f"the hub has no data set {repo}, or it is private ({status}): look at {page}, and "
            f"where it is private, {login}"
        )
    if status in {401, 403}:
        return BenchmarkError(
            f"the hub refuses your token for {repo} ({status}): accept the terms at {page} if it "
            f"has any, then {login} with a token that may read it"
        )
    if constants.is_offline_mode():
        return BenchmarkError(
            f"HF_HUB_OFFLINE is set, so {repo} cannot be downloaded; unset it, or bring the files "
            f"here from {page} and give their place with --data"
        )
    return BenchmarkError(
        f"the hub did not give {repo} ({hub.root_of(error)}); try again later, or bring the files "
        f"here from {page} and give their place with --data"
    )
