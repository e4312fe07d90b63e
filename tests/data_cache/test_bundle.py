"""Runs travel from one cache to another in one file, whole or named as refused."""

import json
import zipfile
from pathlib import Path

import pytest

from data_cache.bundle import MANIFEST, BundleReport, is_bundle, read_bundle, write_bundle
from data_cache.errors import CacheError, SchemaTooNew
from data_cache.estimates import save
from data_cache.ingest import ingest
from data_cache.location import run_directory, spool_directory
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum
from tests.data_cache.test_ingest import content


@pytest.fixture
def there(tmp_path: Path) -> tuple[Path, str]:
    """A cache with two runs and a spectrum, and the key of the run that has it."""
    cache = tmp_path / "there"
    profile(cache, small_benchmark(20), draws=1, seed=7)
    key = profile(cache, small_benchmark(20), draws=2)
    ingest(cache)
    save(cache, spectrum(key), pointwise_rows())
    return cache, key


def bundle_of(cache: Path, key: str) -> Path:
    target = cache.parent / "bundle.zip"
    write_bundle(cache, target, [key])
    return target


def altered(bundle: Path, change: dict[str, bytes], *, compress: bool = False) -> Path:
    """The same bundle with other bytes under some names."""
    target = bundle.with_name("altered.zip")
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            new.writestr(zipfile.ZipInfo(name), change.get(name, old.read(name)), kind)
    return target


def test_a_bundle_makes_the_same_rows_in_another_cache(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    cache, key = there
    bundle, here, only = bundle_of(cache, key), tmp_path / "here", tmp_path / "only"
    assert is_bundle(bundle)
    report = read_bundle(here, bundle)
    assert len(report.taken) == 4  # samples, run.json, predictions, spectrum
    ingest(here)
    assert profile(only, small_benchmark(20), draws=2) == key
    save(only, spectrum(key), pointwise_rows())
    ingest(only)
    assert content(here) == content(only)


def test_what_is_here_already_is_not_taken_twice(there: tuple[Path, str], tmp_path: Path) -> None:
    bundle, here = bundle_of(*there), tmp_path / "here"
    read_bundle(here, bundle)
    assert read_bundle(here, bundle) == BundleReport(same=4)


def test_another_version_of_a_file_is_kept_unless_it_is_to_be_replaced(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    bundle, here = bundle_of(*there), tmp_path / "here"
    read_bundle(here, bundle)
    chunk = next(run_directory(here, there[1]).glob("*.parquet"))
    good, name = chunk.read_bytes(), chunk.relative_to(spool_directory(here)).as_posix()
    chunk.write_bytes(b"measured on another machine")
    assert read_bundle(here, bundle) == BundleReport(same=3, kept=(name,))
    assert chunk.read_bytes() == b"measured on another machine"
    assert read_bundle(here, bundle, replace=True).taken == (name,)
    assert chunk.read_bytes() == good


def test_a_damaged_file_is_refused_and_the_others_are_taken(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    bundle, here = bundle_of(*there), tmp_path / "here"
    chunk = next(run_directory(*there).glob("*.parquet"))
    name = chunk.relative_to(spool_directory(there[0])).as_posix()
    cut = bytearray(chunk.read_bytes())
    cut[100] ^= 1
    report = read_bundle(here, altered(bundle, {name: bytes(cut)}))
    assert [(name, "SHA-256" in reason) for name, reason in report.refused] == [(name, True)]
    assert len(report.taken) == 3
    assert not (spool_directory(here) / name).exists()


def test_a_file_that_breaks_a_rule_is_refused_though_its_checksum_is_right(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    import hashlib

    bundle, here = bundle_of(*there), tmp_path / "here"
    with zipfile.ZipFile(bundle) as file:
        about = json.loads(file.read(MANIFEST))
    sidecar = f"{there[1]}/run.json"
    other = (run_directory(*there) / "run.json").read_bytes().replace(b'"small"', b'"other"')
    about["files"][sidecar]["sha256"] = hashlib.sha256(other).hexdigest()
    changed = {sidecar: other, MANIFEST: json.dumps(about).encode()}
    report = read_bundle(here, altered(bundle, changed))
    assert [name for name, _ in report.refused] == [sidecar]
    assert "another configuration than its key says" in report.refused[0][1]


@pytest.mark.parametrize(
    "name", ["../outside.parquet", "/etc/passwd", "0123456789abcdef/../../x.json", "CON"]
)
def test_a_bundle_that_names_a_place_outside_the_spool_is_refused_whole(
    there: tuple[Path, str], tmp_path: Path, name: str
) -> None:
    bundle, here = bundle_of(*there), tmp_path / "here"
    with zipfile.ZipFile(bundle) as file:
        about = json.loads(file.read(MANIFEST))
    about["files"][name] = {"bytes": 1, "sha256": "0" * 64}
    with pytest.raises(CacheError, match="no file of a spool; nothing was imported"):
        read_bundle(here, altered(bundle, {MANIFEST: json.dumps(about).encode()}))
    assert not here.exists()


def test_compressed_files_are_refused_because_they_may_be_of_any_size(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    report = read_bundle(tmp_path / "here", altered(bundle_of(*there), {}, compress=True))
    assert report.taken == ()
    assert all("compressed" in reason for _, reason in report.refused)


def test_a_bundle_of_a_newer_pidscope_and_half_a_bundle_are_sentences(
    there: tuple[Path, str], tmp_path: Path
) -> None:
    bundle = bundle_of(*there)
    with zipfile.ZipFile(bundle) as file:
        about = json.loads(file.read(MANIFEST))
    newer = {MANIFEST: json.dumps({**about, "schema_version": 99}).encode()}
    with pytest.raises(SchemaTooNew, match="newer PIDscope"):
        read_bundle(tmp_path / "here", altered(bundle, newer))
    bundle.write_bytes(bundle.read_bytes()[:2000])
    assert not is_bundle(bundle)
    with pytest.raises(CacheError, match="no whole bundle"):
        read_bundle(tmp_path / "here", bundle)
