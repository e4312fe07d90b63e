"""Where benchmarks are looked for: a place given, $LMUData, the hub's cache with its revisions."""

import os
from pathlib import Path

import pytest

from data_cache.benchmarks.finding import Found, NotFound, find, hub_cache, lmudata
from data_cache.benchmarks.source import HubFiles, Source, Variant
from data_cache.errors import BenchmarkError

SOURCE = Source(
    title="Things",
    summary="things",
    licence="none",
    homepage="https://example.org",
    group="row",
    variants={
        "dev": Variant(
            summary="dev",
            files=("Things_DEV.tsv", "en/dev-*.parquet"),
            lmudata=("Things_DEV.tsv", "Things_OLD.tsv"),
            hub=(
                HubFiles(repos=("new/Things", "old/Things"), patterns=("en/dev-*",), size="3 MB"),
            ),
        ),
        "test": Variant(summary="test", files=("test.tsv",)),
    },
    how_to_get="run `git clone things`",
)


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LMUData", str(tmp_path / "lmu"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    return path


def snapshot(home: Path, owner: str, revision: str, *names: str, main: bool = False) -> Path:
    """Lay files out as huggingface_hub does: links into blobs/."""
    repo = home / "hf" / "hub" / f"datasets--{owner}--Things"
    for name in names:
        blob = touch(repo / "blobs" / f"{revision}-{name.replace('/', '-')}")
        link = repo / "snapshots" / revision / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    if main:
        touch(repo / "refs" / "main").write_text(f"{revision}\n")
    return repo / "snapshots" / revision


def found(variant: str = "dev", data: str | None = None) -> Found:
    result = find(SOURCE, "things", variant, data)
    assert isinstance(result, Found)
    return result


def test_nothing_found_names_the_places_and_the_command(places: Path) -> None:
    missing = find(SOURCE, "things", "dev")
    assert isinstance(missing, NotFound)
    assert str(places / "lmu") in missing.looked_in[0]
    assert "`python -m model_runners fetch things` downloads it from new/Things" in missing.advice
    assert "3 MB" in missing.advice
    other = find(SOURCE, "things", "test")
    assert isinstance(other, NotFound)
    assert "git clone things" in other.advice


def test_lmudata_comes_before_the_hub_and_its_names_in_their_order(places: Path) -> None:
    snapshot(places, "new", "aaa", "en/dev-0.parquet")
    touch(places / "lmu" / "Things_OLD.tsv")
    assert found().files == (places / "lmu" / "Things_OLD.tsv",)
    touch(places / "lmu" / "Things_DEV.tsv")
    assert found().files == (places / "lmu" / "Things_DEV.tsv",)
    assert found().origin == "$LMUData"


def test_of_several_revisions_the_one_that_main_names_is_read(places: Path) -> None:
    snapshot(places, "new", "aaa", "en/dev-0.parquet")
    snapshot(places, "new", "bbb", "en/dev-0.parquet", "en/dev-1.parquet", main=True)
    snapshot(places, "new", "ccc", "en/dev-0.parquet")
    assert found().revision == "bbb"
    assert [path.name for path in found().files] == ["dev-0.parquet", "dev-1.parquet"]


def test_a_revision_that_lacks_the_files_is_passed_over(places: Path) -> None:
    snapshot(places, "new", "aaa", "README.md", main=True)
    other = snapshot(places, "new", "bbb", "en/dev-0.parquet")
    assert found().root == other
    (other / "en" / "dev-0.parquet").resolve().unlink()  # a download that was cleaned away
    assert isinstance(find(SOURCE, "things", "dev"), NotFound)


def test_the_older_organisation_is_found_too(places: Path) -> None:
    snapshot(places, "old", "aaa", "en/dev-0.parquet", main=True)
    assert found().origin == "hub cache, old/Things"


def test_a_place_that_is_given_is_the_only_one(places: Path) -> None:
    touch(places / "lmu" / "Things_DEV.tsv")
    mine = touch(places / "mine" / "en" / "dev-0.parquet")
    assert found(data=str(places / "mine")).files == (mine,)
    assert found(data=str(mine)).root == mine.parent
    touch(places / "other" / "notes.txt")
    with pytest.raises(BenchmarkError, match=r"Things_DEV\.tsv or en/dev-\*\.parquet is expected"):
        find(SOURCE, "things", "dev", str(places / "other"))
    with pytest.raises(BenchmarkError, match="there is no file or folder"):
        find(SOURCE, "things", "dev", str(places / "none"))


def test_a_zip_given_for_a_folder_is_refused_with_the_line_that_unpacks_it(places: Path) -> None:
    path = places / "things.zip"
    path.write_bytes(b"PK\x03\x04rest")
    with pytest.raises(BenchmarkError, match=r"things\.zip is a zip archive; unpack it \(unzip"):
        find(SOURCE, "things", "dev", str(path))


def test_the_environment_says_where_to_look(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lmudata() == places / "lmu"
    assert hub_cache() == places / "hf" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", str(places / "elsewhere"))
    assert hub_cache() == places / "elsewhere"
