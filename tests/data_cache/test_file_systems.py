"""Chunks may lie on a network file system; databases may not, and the message says what to set."""

from pathlib import Path

import pytest

from data_cache import file_systems, jobs
from data_cache.chunks import read_chunk
from data_cache.conditions import Condition
from data_cache.disk import disk_use
from data_cache.errors import CacheError
from data_cache.file_systems import mounts, network_mount
from data_cache.image_store import ImageStore
from data_cache.ingest import ingest
from data_cache.location import DATABASES_VARIABLE, database_path, jobs_path, run_directory
from data_cache.queries import runs
from tests.data_cache.spools import profile, small_benchmark
from tests.data_cache.test_permission import tree

LINE = "36 35 98:0 / {point} rw,noatime master:1 - {kind} server:/export rw"


def table(folder: Path, *lines: tuple[str, str]) -> Path:
    """A table of mounts as the system writes it."""
    path = folder / f"mountinfo-{len(list(folder.iterdir()))}"
    text = "\n".join(LINE.format(point=point, kind=kind) for point, kind in lines)
    path.write_text(f"{text}\n")
    return path


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache whose folder the system says to lie on NFS; the disk beside it is local."""
    cache = tmp_path / "net" / "cache"
    point = str(cache.parent).replace(" ", r"\040")
    monkeypatch.setattr(
        file_systems, "MOUNTS", table(tmp_path, ("/", "ext4"), (point, "nfs4"), ("/x", "tmpfs"))
    )
    profile(cache, small_benchmark(8), conditions=[Condition.FULL])
    return cache


def test_the_chunks_are_written_and_the_databases_refused(network: Path) -> None:
    before = tree(network)
    for write in (ingest, ImageStore, lambda cache: jobs.open_or_create(cache, "profile", {}, "")):
        with pytest.raises(CacheError, match=rf"nfs4 at .*net.*{DATABASES_VARIABLE}"):
            write(network)
    for read in (runs, jobs.jobs):
        with pytest.raises(CacheError, match=DATABASES_VARIABLE):
            read(network)
    assert tree(network) == before


def test_with_the_variable_the_databases_lie_on_this_machine(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(network)
    monkeypatch.setenv(DATABASES_VARIABLE, str(tmp_path / "local"))
    assert ingest(network).ingested
    jobs.open_or_create(network, "profile", {}, "a job")
    (run,) = runs(network)
    assert len(jobs.jobs(network)) == 1
    assert tree(network) == before, "nothing but chunks belongs on the network"
    assert disk_use(network).rest >= jobs_path(network).stat().st_size
    for path in run_directory(network, run.run_key).glob("*.parquet"):
        assert read_chunk(path)
    other = network.parent / "other" / "cache"
    assert database_path(other) != database_path(network), "two caches of one name are two"
    monkeypatch.setenv(DATABASES_VARIABLE, "not/absolute")
    with pytest.raises(CacheError, match="absolute"):
        runs(network)


def test_the_innermost_and_the_last_mount_counts(tmp_path: Path) -> None:
    def kind(folder: str, *lines: tuple[str, str]) -> str | None:
        found = file_systems._network_mount(folder, table(tmp_path, *lines))
        return None if found is None else found.kind

    home = ("/home", "nfs")
    assert kind("/home/me/cache", ("/", "ext4"), home) == "nfs"
    assert kind("/home/me/cache", home, ("/home/me", "xfs")) is None
    assert kind("/home/me/cache", ("/home/me", "xfs"), ("/home/me", "fuse.sshfs")) == "fuse.sshfs"
    assert kind("/homes/me", ("/", "ext4"), home) is None
    assert kind("/a b/c", (r"/a\040b", "lustre")) == "lustre"
    assert kind("/data", ("/", "overlay"), ("/data", "fuse.ntfs-3g")) is None


def test_this_machine_tells_what_is_mounted() -> None:
    assert any(mount.point == Path("/") for mount in mounts())
    assert network_mount(Path("/proc")) is None
