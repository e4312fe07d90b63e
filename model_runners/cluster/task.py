"""What one task of a cluster does: some blocks of a run, into a spool that the others share.

It touches no database. Begun again on another node, it finds the chunks of the first attempt and
goes on. A process that does several tasks of one run, one after the other, loads the model once.
"""

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from data_cache.errors import CacheError
from data_cache.plan import block_of
from data_cache.remote_spool import RemoteSpool
from data_cache.runs import canonical_json
from data_cache.samples import Benchmark
from data_cache.spool_parts import Part, part_of
from model_runners.benchmark_choice import load_asked as load_benchmark
from model_runners.errors import BadOption
from model_runners.external.spec import spec_of
from model_runners.loading import LoadedModel
from model_runners.loading_options import load_asked as load_model
from model_runners.profile import ProfileOptions, ProfileReport, profile
from model_runners.requests import options_of
from model_runners.shards import Shard

SEND_SECONDS = 20.0
"""How often finished chunks go to the shared place, so that a lost node loses no more."""
_held: dict[str, tuple[LoadedModel, Benchmark]] = {}
"""Of the run that this process worked on last."""


def measure(
    request: Mapping[str, Any], cache: str, spool: str | None, number: int, of: int
) -> ProfileReport:
    """Measure one part of a run.

    Parameters
    ----------
    request
        The options of the run, see `requests.request_of`.
    cache
        The cache folder, which all nodes share; without meaning where `spool` is given.
    spool
        Address of the shared spool; the chunks then lie for a while on this node's own disk.
    number, of
        Which part, counted from 1.

    Raises
    ------
    RunnerError, DataError
        As for `profile`; Ray does not try such a task again.
    """
    options, shard = options_of(request), Shard(number=number, of=of)
    if spool is None:
        return _profile(options, Path(cache), shard)
    place = scratch(spool)
    there = RemoteSpool(spool)
    sending = threading.Event()

    def send() -> None:
        there.send(place)

    def fetch(benchmark: Benchmark) -> None:
        asked = benchmark.select(subset=options.subset, split=options.split, limit=options.limit)
        mine = {sample.id for sample in shard.part(benchmark, asked)}
        blocks = {block_of(at) for at, s in enumerate(benchmark.samples) if s.id in mine}
        there.fetch(place, wanted=lambda name: is_of(name, blocks))

    keeper = threading.Thread(target=_repeat, args=(send, sending), daemon=True)
    keeper.start()
    try:
        return _profile(options, place, shard, fetch)
    finally:
        sending.set()
        keeper.join()
        send()


def is_of(name: str, blocks: set[int]) -> bool:
    """Whether a file of a spool is a run's record, or predictions of one of these blocks.

    >>> is_of("0123456789abcdef/00003-0123456789ab.parquet", {3})
    True
    """
    found = part_of(name)
    if found is None or found[0] not in (Part.SIDECAR, Part.PREDICTIONS):
        return False
    return found[0] is Part.SIDECAR or int(name.rpartition("/")[2][:5]) in blocks


def scratch(spool: str) -> Path:
    """Return a folder of this user's on this node, the same for every task of a shared spool.

    Raises
    ------
    CacheError
        If somebody else has put a folder there.
    """
    digest = hashlib.sha256(spool.encode()).hexdigest()[:12]
    me = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"pidscope-{me}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if folder.is_symlink() or (hasattr(os, "getuid") and found.st_uid != me):
        raise CacheError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder


def _profile(
    options: ProfileOptions,
    cache: Path,
    shard: Shard,
    prepare: Callable[[Benchmark], object] = lambda _: None,
) -> ProfileReport:
    if spec_of(options) is not None:
        raise BadOption("a model in a worker of its own cannot be run on a cluster")
    name = canonical_json({"request": _plain(options), "cache": str(cache)})
    if name not in _held:
        _held.clear()
        benchmark = load_benchmark(options, cache)
        _held[name] = (load_model(options), benchmark)
    loaded, benchmark = _held[name]
    prepare(benchmark)
    return profile(options, cache, benchmark=benchmark, loaded=loaded, shard=shard)


def _plain(options: ProfileOptions) -> dict[str, Any]:
    from model_runners.requests import request_of

    return request_of(options)


def _repeat(send: Callable[[], None], stop: threading.Event) -> None:
    while not stop.wait(SEND_SECONDS):
        try:
            send()
        except CacheError:  # the last one, at the end of the task, is told
            continue
