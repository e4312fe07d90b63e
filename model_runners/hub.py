"""How a model comes from the Hugging Face hub: whether it may be had, how large it is, and where.

Every file comes through the hub's own cache (HF_HOME, HF_HUB_CACHE), so that other programs share
it, and HF_ENDPOINT, HF_TOKEN and HF_HUB_OFFLINE mean what they always mean.
"""

import json
import re
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_runners.errors import Cancelled, ModelNotFound, RunnerError, UnsupportedModel
from model_runners.unwatched import ignore, never

LOOK_SECONDS = 10.0
"""How long the hub may take to say what a model has."""
TICK_SECONDS = 0.5
"""How often a download says how far it is, and asks whether to stop."""
PARTING_SECONDS = 5.0
"""How long a stopped download may take to clear its half file away."""
SETTINGS = (".json", ".jinja", ".model", ".txt")
"""Endings of the files beside the weights that a model is loaded from."""
INDEX = "model.safetensors.index.json"


@dataclass(frozen=True, kw_only=True)
class Remote:
    """What the hub has of a model, and what of it is not here yet."""

    hub_id: str
    files: tuple[str, ...]
    """Those that the model is loaded from; none lies in a folder."""
    size: int
    """Of these files, in bytes."""
    missing: int
    """Bytes that would come over the network."""
    free: int
    """Free bytes where the hub's cache lies."""
    cache: Path
    revision: str | None = None
    """A branch, a tag or a commit; None is the newest."""

    @property
    def described(self) -> str:
        """One line: how much would be loaded from where to where.

        >>> from pathlib import Path
        >>> Remote(hub_id="a/b", files=("c",), size=5 << 30, missing=3 << 30, free=90 << 30,
        ...     cache=Path("/c")).described
        'a/b from the hub: 3.0 GiB to download (5.0 GiB in all), 90.0 GiB free in /c'
        """
        rest = f" ({written_bytes(self.size)} in all)" if self.missing != self.size else ""
        return (
            f"{self.hub_id} from the hub: {written_bytes(self.missing)} to download{rest}, "
            f"{written_bytes(self.free)} free in {self.cache}"
        )


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who is told of a download, and who may stop it."""

    tell: Callable[[str], None] = ignore
    """A sentence: what is to be downloaded, and how much room there is."""
    at: Callable[[int, int], None] = ignore
    """Bytes that are here, bytes in all."""
    stop: Callable[[], bool] = never
    """Asked twice a second."""


UNWATCHED = Watch()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A model that can be had: its config.json is here."""

    folder: Path
    """Where config.json lies, in the hub's cache."""
    remote: Remote | None
    """What the hub says; None where it did not, and the cache has the whole model."""


_REVISION = re.compile(r"(?!.*(?:\.\.|//|/\Z))[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")


def split_revision(location: str) -> tuple[str, str | None]:
    """Return the repository and the revision of `owner/name@revision`; None is the newest.

    What could not be a branch, a tag or a commit is none: it becomes a part of paths and addresses.

    >>> split_revision("a/b@step-100"), split_revision("a/b")
    (('a/b', 'step-100'), ('a/b', None))
    """
    hub_id, _, revision = location.partition("@")
    return hub_id, revision if _REVISION.fullmatch(revision) else None


def find(location: str, *, with_code: bool = False) -> Found:
    """Ask for a model and bring its config.json; a few kilobytes, to refuse before gigabytes.

    Where the hub gives nothing, or HF_HUB_OFFLINE is set, what the cache has is taken if it is
    complete.

    Parameters
    ----------
    location
        A repository, with a revision (branch, tag or commit) behind an @ or without.
    with_code
        Whether the code that comes with it is brought, too.

    Raises
    ------
    ModelNotFound
        If the hub does not give the model, and it is not in the cache.
    UnsupportedModel
        If it has no safetensors.
    """
    from huggingface_hub import hf_hub_download

    hub_id, revision = split_revision(location)
    try:
        remote = look(location, with_code=with_code)
    except ModelNotFound:
        stored = stored_model(location)
        if stored is None:
            raise
        return Found(folder=stored, remote=None)
    try:
        config = hf_hub_download(hub_id, "config.json", revision=revision)
    except hub_errors() as error:
        raise explained(location, error) from error
    return Found(folder=Path(config).parent, remote=remote)


def fetch(found: Found, *, watch: Watch = UNWATCHED) -> Path:
    """Bring a model's files into the hub's cache and return the folder that they lie in.

    Raises
    ------
    ModelNotFound
        If the hub does not give them.
    UnsupportedModel
        If there is no room for them.
    Cancelled
        If the watch said so; the files that are whole are kept, and the next download goes on.
    """
    remote = found.remote
    if remote is None:
        return found.folder
    if remote.missing > remote.free:
        raise UnsupportedModel(
            f"there is no room for {remote.described}; free some space, or name a larger disk "
            "in HF_HOME"
        )
    if remote.missing:
        watch.tell(remote.described)
    return _download(remote, watch)


def look(location: str, *, timeout: float = LOOK_SECONDS, with_code: bool = False) -> Remote:
    """Ask the hub for a model's files and their sizes; nothing is downloaded.

    Parameters
    ----------
    location
        A repository, with a revision behind an @ or without.
    timeout
        Seconds that the hub may take.
    with_code
        Whether Python files count as files that the model is loaded from.

    Raises
    ------
    ModelNotFound
        If the hub does not say.
    UnsupportedModel
        If the model has no safetensors.
    """
    from huggingface_hub import HfApi

    hub_id, revision = split_revision(location)
    try:
        info = HfApi().model_info(hub_id, revision=revision, files_metadata=True, timeout=timeout)
    except hub_errors() as error:
        raise explained(location, error) from error
    there: dict[str, Any] = {file.rfilename: file for file in info.siblings or ()}
    wanted = wanted_files(there)
    if with_code:
        wanted = (*wanted, *sorted(n for n in there if "/" not in n and n.endswith(".py")))
    if not any(name.endswith(".safetensors") for name in wanted):
        raise UnsupportedModel(
            f"{hub_id} has no weights in safetensors on the hub, the only format that is read "
            "here; look for a converted copy"
        )
    cache = cache_folder()
    blobs = _storage(hub_id) / "blobs"
    sizes = {name: int(there[name].size or 0) for name in wanted}
    here = {name for name in wanted if _is_here(location, blobs, there[name])}
    return Remote(
        hub_id=hub_id,
        revision=revision,
        files=wanted,
        size=sum(sizes.values()),
        missing=sum(size for name, size in sizes.items() if name not in here),
        free=free_bytes(cache),
        cache=cache,
    )


def wanted_files(names: "dict[str, Any] | list[str]") -> tuple[str, ...]:
    """Return the files that a model is loaded from: settings and one copy of the weights.

    >>> wanted_files(["config.json", "model.safetensors", "consolidated.safetensors", "a/b.json"])
    ('config.json', 'model.safetensors')
    """
    top = sorted(name for name in names if "/" not in name)
    weights = [name for name in top if name.endswith(".safetensors")]
    ours = [name for name in weights if name.startswith("model")] or weights
    return (*(name for name in top if name.endswith(SETTINGS)), *ours)


def stored_model(location: str) -> Path | None:
    """Return where the hub's cache on this machine has a whole model, None if it has not."""
    from huggingface_hub import try_to_load_from_cache

    hub_id, revision = split_revision(location)
    config = try_to_load_from_cache(hub_id, "config.json", revision=revision)
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    index = folder / INDEX
    try:
        shards = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    except OSError:
        return folder if any(folder.glob("*.safetensors")) else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return folder if all((folder / shard).is_file() for shard in shards) else None


def cache_folder() -> Path:
    """Return where the hub's cache lies."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def free_bytes(folder: Path) -> int:
    """Return the free bytes of the disk on which a folder lies, or will."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    return shutil.disk_usage(there).free


def written_bytes(count: float) -> str:
    """Write a number of bytes as people do.

    >>> written_bytes(15_300_000_000), written_bytes(2_500_000), written_bytes(3_000)
    ('14.2 GiB', '2.4 MiB', '2.9 KiB')
    """
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count / 2**10:.1f} KiB"


def explained(location: str, error: BaseException) -> RunnerError:
    """Turn what the hub says into one sentence with what to do next."""
    from huggingface_hub import constants, errors
    from huggingface_hub.utils import get_token

    hub_id, revision = split_revision(location)
    page = f"{constants.ENDPOINT}/{hub_id}"
    login = "log in with `hf auth login` (or set HF_TOKEN)"
    if not hasattr(error, "response"):  # wrapped, because the cache was looked into after it
        error = next((one for one in causes_of(error) if hasattr(one, "response")), error)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.GatedRepoError):
        who = "the account of your token has no access" if get_token() else "nobody is logged in"
        return ModelNotFound(
            f"{hub_id} is gated and {who} ({status}): accept its licence at {page}, then {login}"
        )
    if isinstance(error, errors.DisabledRepoError):
        return ModelNotFound(f"the hub has closed {hub_id}; {page} may say why")
    if isinstance(error, errors.RepositoryNotFoundError):
        return ModelNotFound(
            f"the hub has no model {hub_id}, or it is private ({status}): look at {page}, and "
            f"where it is private or asks for a licence, {login}; {_nearest(hub_id)}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFound(
            f"{hub_id} has no revision {revision!r} on the hub; {page}/tree/main lists its "
            "branches and tags"
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return ModelNotFound(
            f"{hub_id} is on the hub but has no config.json, so it is no model in transformers' "
            f"format; {page} lists what it has"
        )
    if status in {401, 403}:
        return ModelNotFound(
            f"the hub refuses your token for {hub_id} ({status}): accept the licence at {page} if "
            f"it has one, then {login} with a token that may read it"
        )
    if constants.is_offline_mode():
        return ModelNotFound(
            f"there is no model {hub_id!r} here, and HF_HUB_OFFLINE is set, so the hub did not "
            f"give it; unset it, or bring the model there with `hf download {hub_id}`; "
            f"{_nearest(hub_id)}"
        )
    return ModelNotFound(
        f"there is no model {hub_id!r} here and the hub did not give it ({root_of(error)}); try "
        f"again later or give a folder; {_nearest(hub_id)}"
    )


def hub_errors() -> tuple[type[Exception], ...]:
    """Return what goes wrong between here and the hub."""
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

    # The HTTP library differs between versions of huggingface_hub; its base class is the first.
    return (OSError, ValueError, RuntimeError, EntryNotFoundError, *HfHubHTTPError.__bases__)


def root_of(error: BaseException) -> str:
    """Return the first words of what an error came from."""
    root = causes_of(error)[-1]
    lines = str(root).strip().splitlines()
    return f"{type(root).__name__}: {lines[0]}" if lines else type(root).__name__


def causes_of(error: BaseException) -> list[BaseException]:
    """Return an error and what it came from."""
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return chain


def _nearest(hub_id: str) -> str:
    from model_runners.models import nearest_model

    return nearest_model(hub_id)


def _storage(hub_id: str) -> Path:
    """Return the folder of a model in the hub's cache; its layout is documented."""
    return cache_folder() / f"models--{hub_id.replace('/', '--')}"


def _is_here(location: str, blobs: Path, file: Any) -> bool:
    from huggingface_hub import try_to_load_from_cache

    hub_id, revision = split_revision(location)
    digest = file.lfs.sha256 if file.lfs is not None else file.blob_id
    if digest is not None and (blobs / str(digest)).is_file():
        return True
    there = try_to_load_from_cache(hub_id, file.rfilename, revision=revision)
    return not blobs.is_dir() and isinstance(there, str)


def _download(remote: Remote, watch: Watch) -> Path:
    """Fetch a model's files one after the other, beside a loop that watches.

    A thread that is no daemon would keep a stopped program alive to the end of the download.
    """
    done: Future[Path] = Future()
    stopped = threading.Event()
    thread = threading.Thread(
        target=_fetch_files, args=(remote, done, stopped), name="download", daemon=True
    )
    blobs = _storage(remote.hub_id) / "blobs"
    before = _bytes_in(blobs)
    thread.start()
    while thread.is_alive():
        thread.join(TICK_SECONDS)
        if remote.missing:
            come = _bytes_in(blobs) - before
            watch.at(min(max(come, 0), remote.missing), remote.missing)
        if thread.is_alive() and watch.stop():
            stopped.set()
            thread.join(PARTING_SECONDS)
            raise Cancelled("stopped during the download; the files that are whole are kept")
    try:
        folder = done.result(timeout=0)
    except hub_errors() as error:
        raise explained(remote.hub_id, error) from error
    if remote.missing:
        watch.at(remote.missing, remote.missing)
    return folder


def _fetch_files(remote: Remote, done: "Future[Path]", stopped: threading.Event) -> None:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils import disable_progress_bars, tqdm

    class Stoppable(tqdm):
        """A bar that nobody sees, and that ends the download so that no half file is left."""

        def update(self, n: float | None = 1) -> bool | None:
            if stopped.is_set():
                raise Cancelled("stopped")
            return super().update(n)

    disable_progress_bars()
    try:
        folders = {
            Path(
                hf_hub_download(remote.hub_id, name, revision=remote.revision, tqdm_class=Stoppable)
            ).parent
            for name in remote.files
        }
    except (Cancelled, *hub_errors()) as error:
        done.set_exception(error)
        return
    if len(folders) == 1:
        done.set_result(folders.pop())
    else:
        done.set_exception(ValueError("the model was changed on the hub during the download"))


def _bytes_in(blobs: Path) -> int:
    total = 0
    if blobs.is_dir():
        for path in blobs.iterdir():
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # it has just been given its name
                continue
    return total
