"""A spool on another place, reached through fsspec, is copied once, checked, and ingested."""

import os
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from data_cache.conditions import Condition
from data_cache.errors import CacheError
from data_cache.ingest import ingest
from data_cache.queries import runs
from data_cache.remote_spool import RemoteSpool, is_address
from data_cache.spool_parts import spool_files
from model_runners.__main__ import main
from tests.data_cache.spools import profile, small_benchmark


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("remote") / "cache"
    profile(cache, small_benchmark(70), conditions=[Condition.FULL])
    return cache


@pytest.fixture(params=["memory", "file"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{tmp_path}/away/spool"
        return
    yield "memory://lab/spool"
    fsspec.filesystem("memory").rm("/lab", recursive=True)


def contents(cache: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in spool_files(cache)}


def test_what_was_sent_comes_back_byte_for_byte_and_once(
    filled: Path, address: str, tmp_path: Path
) -> None:
    there, here = RemoteSpool(address), tmp_path / "here"
    assert there.names() == {}
    sent = there.send(filled)
    assert set(sent.copied) == set(contents(filled))
    assert there.send(filled).copied == ()
    came = there.fetch(here)
    assert (came.same, came.refused) == (0, ())
    assert contents(here) == contents(filled)
    assert there.fetch(here).copied == ()
    assert not list(here.glob(".remote*")), "nothing is left of the copying"
    assert ingest(here).ingested
    assert runs(here)[0].n_samples == 70


def test_what_is_no_file_of_a_spool_or_is_broken_does_not_come(
    filled: Path, address: str, tmp_path: Path
) -> None:
    there, here = RemoteSpool(address), tmp_path / "here"
    there.send(filled)
    files, root = fsspec.core.url_to_fs(address)
    chunk = next(name for name in there.names() if name.count("/") == 1 and "-" in name)
    content = files.cat_file(f"{root}/{chunk}")
    files.pipe_file(f"{root}/{chunk}", content[: len(content) // 2])
    for name in ("evil.py", "samples/../../evil.json", f"{chunk}.exe", "0123456789abcdef/x.pkl"):
        files.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
        files.pipe_file(f"{root}/{name}", b"evil")
    came = there.fetch(here)
    assert [name for name, _ in came.refused] == [chunk]
    assert set(contents(here)) == set(contents(filled)) - {chunk}
    assert not list(here.rglob("*evil*"))
    files.pipe_file(f"{root}/{chunk}", content)
    assert there.fetch(here).copied == (chunk,), "mended, it comes with the next copy"


def test_the_command_line_ingests_from_there(
    filled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"file://{tmp_path}/away/spool"
    RemoteSpool(address).send(filled)
    here = tmp_path / "here"
    assert main(["ingest", "--from", address, "--cache", str(here)]) == 0
    assert f"from {address}: {len(contents(filled))} files" in capsys.readouterr().err
    assert len(runs(here)) == 1


def test_a_place_that_nobody_knows_is_one_sentence() -> None:
    assert is_address("s3://bucket/spool")
    assert not is_address(os.sep + "data")
    with pytest.raises(CacheError, match="nowhere://x/spool cannot be reached"):
        RemoteSpool("nowhere://x/spool")
