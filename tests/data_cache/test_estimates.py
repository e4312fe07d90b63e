import dataclasses
import json
import math

import numpy as np
import pyarrow as pa
import pytest

from data_cache.errors import CacheError, ChunkInvalid, SchemaTooNew
from data_cache.estimates import (
    ATOMS,
    INFLUENCES,
    SCORES,
    SpectrumRecord,
    estimate_key,
    load,
    pointwise,
    save,
    save_all,
)
from data_cache.ingest import rebuild
from data_cache.paired import Pair, paired_rows
from data_cache.records import POINTWISE_SCHEMA, read_estimate
from tests.data_cache.answers import estimated
from tests.data_cache.spools import pointwise_rows, profile, small_benchmark, spectrum


@pytest.fixture
def key(tmp_path):
    return profile(tmp_path, small_benchmark(10))


def test_a_record_survives_json():
    record = spectrum("run")
    assert SpectrumRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record


def test_numbers_of_numpy_become_plain_numbers():
    record = spectrum(
        "run", synergy=np.float64(0.5), n=np.int64(3), diagnostics={"x": np.bool_(True)}
    )
    assert record.to_dict()["diagnostics"] == {"x": True}
    assert type(record.to_dict()["n"]) is int


def test_a_record_of_other_fields_is_refused():
    content = spectrum("run").to_dict()
    with pytest.raises(CacheError, match=r"unknown fields.*'mood'"):
        SpectrumRecord.from_dict({**content, "mood": "good"})
    del content["synergy"]
    with pytest.raises(CacheError, match="synergy"):
        SpectrumRecord.from_dict(content)


def test_the_key_names_the_question():
    question = {
        "run_key": "r",
        "subset": "all",
        "split": "test",
        "layer": -1,
        "estimator": "certified",
        "settings": {"tau": 0.3},
    }
    keys = {estimate_key(**question)}
    for name, other in (
        ("run_key", "q"),
        ("subset", "left"),
        ("split", "train"),
        ("layer", 0),
        ("estimator", "batch"),
        ("settings", {"tau": 0.2}),
    ):
        keys.add(estimate_key(**{**question, name: other}))
    assert len(keys) == 7


def test_what_is_saved_is_loaded(tmp_path, key):
    record = spectrum(key)
    path = save(tmp_path, record, pointwise_rows(("it's", "☃", "b")))
    assert path == tmp_path / "spool" / key / "estimates" / f"{record.estimate_key}.parquet"
    assert load(tmp_path) == [record]
    frame = pointwise(tmp_path, record.estimate_key)
    assert list(frame.columns) == ["sample_id", *ATOMS, *SCORES]
    assert list(frame.sample_id) == ["b", "it's", "☃"]
    assert frame.redundancy.tolist() == pytest.approx([1.0, 0.1, 0.55])


def test_the_same_estimate_is_replaced_and_its_bytes_are_the_same(tmp_path, key):
    path = save(tmp_path, spectrum(key), pointwise_rows())
    first = path.read_bytes()
    save(tmp_path, spectrum(key, synergy=1.5), pointwise_rows(("only",)))
    (record,) = load(tmp_path)
    assert record.synergy == 1.5
    assert len(pointwise(tmp_path, record.estimate_key)) == 1
    assert save(tmp_path, spectrum(key), pointwise_rows()).read_bytes() == first


def test_undefined_numbers_stay_undefined(tmp_path, key):
    save(tmp_path, spectrum(key, calibration_error=float("nan")), pointwise_rows())
    assert math.isnan(load(tmp_path)[0].calibration_error)


def test_estimates_are_found_by_their_names(tmp_path, key):
    save_all(
        tmp_path,
        [
            (spectrum(key, subset=subset, layer=layer), pointwise_rows())
            for subset in ("all", "left", "it's")
            for layer in (-1, 0)
        ],
    )
    assert [record.subset for record in load(tmp_path)] == ["all", "it's", "left"]
    assert [record.layer for record in load(tmp_path, layer=None)] == [-1, 0] * 3
    assert [record.subset for record in load(tmp_path, subsets=["it's", "left"])] == [
        "it's",
        "left",
    ]
    assert load(tmp_path, subsets=[]) == []
    assert len(load(tmp_path, models=["demo/oracle"], benchmarks=["small"])) == 3
    assert load(tmp_path, models=["other"]) == []
    assert load(tmp_path, split="train") == []
    assert len(load(tmp_path, split="test", estimator="certified", layer=0)) == 3


def test_an_empty_cache_has_no_estimates(tmp_path):
    assert load(tmp_path / "nowhere") == []


def test_an_unknown_estimate_is_named(tmp_path, key):
    save(tmp_path, spectrum(key), pointwise_rows())
    with pytest.raises(CacheError, match="there is no estimate 'nobody'"):
        pointwise(tmp_path, "nobody")


def test_an_estimate_of_an_unknown_run_says_so_and_waits(tmp_path):
    with pytest.raises(CacheError, match="has no run"):
        save(tmp_path, spectrum("f" * 16), pointwise_rows())
    assert load(tmp_path) == []


def test_rows_that_do_not_fit_are_refused(tmp_path, key):
    rows = pointwise_rows()
    nan = rows.set_column(1, "redundancy", pa.array([0.1, float("nan"), 0.2]))
    for bad, reason in (
        (rows.drop_columns(["shortcut"]), "shortcut"),
        (pa.concat_tables([rows, rows]), "twice"),
        (nan, "redundancy that are not finite"),
    ):
        with pytest.raises(ChunkInvalid, match=reason):
            save(tmp_path, spectrum(key), bad)
    assert load(tmp_path) == []


def test_a_file_under_another_key_is_refused(tmp_path, key):
    path = save(tmp_path, spectrum(key), pointwise_rows())
    record, table = read_estimate(path)
    assert dataclasses.asdict(record)["run_key"] == key
    assert len(table) == 3
    with pytest.raises(ChunkInvalid, match="moved or renamed"):
        read_estimate(path.rename(path.with_name("0123456789abcdef.parquet")))


def test_influences_are_kept_and_older_estimates_have_none(tmp_path):
    benchmark = small_benchmark(6)
    ids = [sample.id for sample in benchmark.samples]
    old = estimated(tmp_path, benchmark, model="demo/a")
    new = estimated(tmp_path, benchmark, model="demo/b")
    path = tmp_path / "spool" / old.run_key / "estimates" / f"{old.estimate_key}.parquet"
    assert read_estimate(path)[1].schema.equals(POINTWISE_SCHEMA), "as every PIDscope reads it"
    rows = pointwise_rows(ids)
    for place, name in enumerate(INFLUENCES):
        rows = rows.append_column(name, pa.array(np.arange(6.0) + place))
    save(tmp_path, new, rows)
    assert list(pointwise(tmp_path, new.estimate_key).columns) == ["sample_id", *ATOMS, *SCORES]
    for _ in range(2):
        found = paired_rows(tmp_path, Pair(a=old.estimate_key, b=new.estimate_key))
        assert found.influences_a is None
        assert found.influences_b is not None
        assert found.influences_b[:, 0].tolist() == list(range(6))
        assert found.influences_b[0].tolist() == [0, 1, 2, 3]
        rebuild(tmp_path)  # from the files alone, the same


def test_an_estimate_with_influences_is_too_new_for_an_older_reader(tmp_path, key, monkeypatch):
    rows = pointwise_rows()
    for name in INFLUENCES:
        rows = rows.append_column(name, pa.array([0.0, 1.0, 2.0]))
    path = save(tmp_path, spectrum(key), rows)
    assert len(read_estimate(path)[1]) == 3
    monkeypatch.setattr("data_cache.plan.NEWEST_VERSION", 1)
    with pytest.raises(SchemaTooNew, match="newer PIDscope"):
        read_estimate(path)


def test_influences_that_do_not_fit_are_refused(tmp_path, key):
    rows = pointwise_rows()
    for bad, reason in (
        (rows.append_column(INFLUENCES[0], pa.array([0.0, 1.0, 2.0])), INFLUENCES[1]),
        (
            pa.table(
                {name: rows[name] for name in rows.column_names}
                | {name: [0.0, float("nan"), 2.0] for name in INFLUENCES}
            ),
            "influence_redundancy that are not finite",
        ),
    ):
        with pytest.raises(ChunkInvalid, match=reason):
            save(tmp_path, spectrum(key), bad)
