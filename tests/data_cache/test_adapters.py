"""Records of adapters: written and read again, those of an earlier PIDscope too."""

import json
from dataclasses import replace
from pathlib import Path

from data_cache import adapters
from data_cache.adapters import LossPoint, Measured
from data_cache.location import adapter_directory
from tests.pages.adapters import write_adapter


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = replace(
        write_adapter(tmp_path),
        measured=tuple(
            Measured(benchmark=name, base_run_key="a" * 16, run_key="b" * 16) for name in ("x", "y")
        ),
    )
    adapters.write_record(tmp_path, record)
    assert adapters.adapter(tmp_path, record.key) == record


def test_a_record_from_before_there_were_several_benchmarks_reads_as_one(tmp_path: Path) -> None:
    record = write_adapter(tmp_path, base_run_key="a" * 16, run_key="b" * 16)
    path = adapter_directory(tmp_path, record.key) / adapters.RECORD_NAME
    old = json.loads(path.read_text())
    del old["measured"]
    path.write_text(json.dumps(old))
    found = adapters.adapter(tmp_path, record.key)
    assert found is not None
    assert found.measured == (Measured(benchmark="small", base_run_key="a" * 16, run_key="b" * 16),)


def test_an_adapter_that_was_never_measured_says_so(tmp_path: Path) -> None:
    assert write_adapter(tmp_path).measured == ()


def test_losses_of_before_there_were_held_out_samples_are_read(tmp_path: Path) -> None:
    record = write_adapter(tmp_path, losses=0)
    path = adapter_directory(tmp_path, record.key) / adapters.LOSSES_NAME
    path.write_text('{"step": 1, "epoch": 0.5, "loss": 1.5, "rate": 0.001}\n')
    assert adapters.losses(tmp_path, record.key) == [
        LossPoint(step=1, epoch=0.5, loss=1.5, rate=0.001)
    ]
