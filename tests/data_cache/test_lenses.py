"""A tuned lens is one file that says how it came to be, and a broken one harms no other."""

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from data_cache.errors import CacheError, SchemaTooNew
from data_cache.lenses import (
    METADATA_KEY,
    LensRecord,
    header_of,
    lens,
    lens_key,
    lenses,
    read_record,
    write_lens,
)
from data_cache.location import lens_path

MAPS = {"matrices": np.ones((1, 2, 2), np.float32), "biases": np.zeros((1, 2), np.float32)}


def record(created: str = "2026-11-22T00:00:00+00:00", **settings: int) -> LensRecord:
    recipe = {"weights": "w", "mask_scope": "all"}
    return LensRecord(
        key=lens_key(recipe, settings), model="m", benchmark="b", recipe=recipe, settings=settings,
        fits=[{"layer": 0, "before": 2.0, "after": 0.5, "epochs": 3}], learned=15, held_out=5,
        environment={"torch": "2"}, created=created,
    )  # fmt: skip


def store(cache: Path, one: LensRecord) -> Path:
    return write_lens(cache, one, save(MAPS, header_of(one)))


def test_what_was_written_is_read_without_torch_and_with_its_maps(tmp_path: Path) -> None:
    one = record(seed=0)
    path = store(tmp_path, one)
    assert path == lens_path(tmp_path, one.key)
    assert lens(tmp_path, one.key) == read_record(path) == one
    assert np.array_equal(load_file(path)["matrices"], MAPS["matrices"])
    assert lens(tmp_path, record(seed=1).key) is None


def test_the_newest_comes_first_and_what_is_broken_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert lenses(tmp_path) == []
    old, new = record("2026-11-21T00:00:00+00:00", seed=0), record(seed=1)
    store(tmp_path, new)
    path = store(tmp_path, old)
    path.with_name("abcd.safetensors").write_bytes(b"no lens")
    path.with_name(f".{path.name}.tmp.safetensors").write_bytes(b"half a")
    with caplog.at_level(logging.WARNING):
        assert lenses(tmp_path) == [new, old]
    assert [one.message for one in caplog.records if "abcd.safetensors" in one.message]


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    one = record(seed=0)
    with pytest.raises(CacheError, match=f"has the key {one.key}, not"):
        write_lens(tmp_path, dataclasses.replace(one, key="0" * 16), b"")
    path = store(tmp_path, one)
    path.rename(path.with_name("f00d.safetensors"))
    with pytest.raises(CacheError, match="was it renamed"):
        read_record(path.with_name("f00d.safetensors"))
    short = path.with_name("cafe.safetensors")
    short.write_bytes(store(tmp_path, one).read_bytes()[:40])
    with pytest.raises(CacheError, match="is no tuned lens"):
        read_record(short)


def test_a_lens_of_a_newer_pidscope_says_so(tmp_path: Path) -> None:
    one = record(seed=0)
    content = json.loads(header_of(one)[METADATA_KEY]) | {"schema_version": 99}
    path = write_lens(tmp_path, one, save(MAPS, {METADATA_KEY: json.dumps(content)}))
    with pytest.raises(SchemaTooNew, match="newer PIDscope"):
        read_record(path)
