"""A run on a cluster is refused in sentences before anything is asked of Ray."""

import sys
from pathlib import Path

import pytest

from model_runners.cluster import RayOptions
from model_runners.cluster.options import ray_package
from model_runners.cluster.task import is_of, scratch
from model_runners.errors import BadOption


def test_what_makes_no_sense_is_one_sentence() -> None:
    for wrong in ({"gpus": -1}, {"cpus": -0.5}, {"tasks": 0}, {"retries": -1}):
        with pytest.raises(BadOption, match="must be"):
            RayOptions(**wrong)
    with pytest.raises(BadOption, match="needs a CPU or a GPU"):
        RayOptions(cpus=0)


def test_without_ray_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    with pytest.raises(BadOption, match=r"pip install -r requirements-ray\.txt"):
        ray_package()


def test_a_task_takes_its_own_blocks_and_the_record_of_the_run() -> None:
    run = "0123456789abcdef"
    assert is_of(f"{run}/00003-0123456789ab.parquet", {3})
    assert not is_of(f"{run}/00004-0123456789ab.parquet", {3})
    assert is_of(f"{run}/run.json", set())
    for name in (f"samples/{run}/00003-0123456789ab.parquet", "../x", f"{run}/estimates/a.parquet"):
        assert not is_of(name, {3})


def test_the_folder_on_a_node_is_its_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = scratch("s3://a/spool")
    assert first == scratch("s3://a/spool") != scratch("s3://b/spool")
    assert first.stat().st_mode & 0o77 == 0
