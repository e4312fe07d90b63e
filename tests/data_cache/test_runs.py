import json

import pytest

from data_cache.errors import CacheError, SchemaTooNew
from data_cache.location import run_directory
from data_cache.runs import canonical_json, read_sidecar, run_key, write_sidecar
from tests.data_cache.spools import config_of, small_benchmark

CONFIG = config_of(small_benchmark(2))


def test_the_key_depends_on_content_and_not_on_order():
    turned = dict(reversed(CONFIG.items()))
    assert run_key(CONFIG) == run_key(turned)
    assert run_key(CONFIG) != run_key({**CONFIG, "seed": 1})
    assert len(run_key(CONFIG)) == 16
    assert run_key({"a": ("x", 1)}) == run_key({"a": ["x", 1]})


def test_the_key_of_a_known_configuration_never_changes():
    """Another value here would orphan every run on every disk."""
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'
    assert run_key({"b": [1, 2.5, None], "a": "é"}) == "d764fee2563da33e"


@pytest.mark.parametrize(
    "bad", [{"x": float("nan")}, {1: "x"}, {"x": {2: "y"}}, {"x": {1, 2}}, {"x": [{3: 4}]}]
)
def test_what_json_cannot_say_without_loss_is_refused(bad):
    with pytest.raises(CacheError, match=r"JSON|must be text"):
        run_key(bad)


def test_a_sidecar_reads_back(tmp_path):
    key = run_key(CONFIG)
    write_sidecar(tmp_path, key, CONFIG, self_test={"passed": True}, environment={"cpu": "x"})
    sidecar = read_sidecar(tmp_path, key)
    assert sidecar.config == CONFIG
    assert (sidecar.self_test, sidecar.environment) == ({"passed": True}, {"cpu": "x"})


def test_the_same_sidecar_is_not_written_twice(tmp_path):
    path = write_sidecar(tmp_path, run_key(CONFIG), CONFIG)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    write_sidecar(tmp_path, run_key(CONFIG), CONFIG)
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    write_sidecar(tmp_path, run_key(CONFIG), CONFIG, environment={"host": "b"})
    assert read_sidecar(tmp_path, run_key(CONFIG)).environment == {"host": "b"}


def test_a_key_of_another_configuration_is_refused(tmp_path):
    with pytest.raises(CacheError, match="has the run key"):
        write_sidecar(tmp_path, "0" * 16, CONFIG)


def test_a_configuration_names_its_model_and_benchmark(tmp_path):
    config = {**CONFIG, "model": None}
    with pytest.raises(CacheError, match="must name its model; got None"):
        write_sidecar(tmp_path, run_key(config), config)


def test_missing_foreign_and_newer_sidecars_are_told_apart(tmp_path):
    key = run_key(CONFIG)
    with pytest.raises(CacheError, match="cannot be read"):
        read_sidecar(tmp_path, key)
    path = write_sidecar(tmp_path, key, CONFIG)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "run_key": "f" * 16}))
    with pytest.raises(CacheError, match="is not the sidecar of run"):
        read_sidecar(tmp_path, key)
    path.write_text(json.dumps({**content, "schema_version": 5}))
    with pytest.raises(SchemaTooNew, match="schema 5, this one reads 1"):
        read_sidecar(tmp_path, key)


@pytest.mark.parametrize(
    "bad", ["", "..", "a/b", "../up", "samples", "quarantine", ".hidden", "x" * 200]
)
def test_no_key_leads_out_of_the_spool(tmp_path, bad):
    with pytest.raises(CacheError, match="is no run key"):
        run_directory(tmp_path, bad)
