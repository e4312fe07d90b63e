"""A batch size that nobody gave is found: it grows to what fits, and falls before memory ends."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from data_cache import queries
from data_cache.samples import Benchmark
from model_runners import batch_size, meters
from model_runners.batch_size import MOST_ROWS, room_for, surely_fit
from model_runners.loading import LoadedModel, load
from model_runners.meters import AbstractMeter, ProcessMeter, free_memory, process_peak
from model_runners.profile import profile
from model_runners.profile_options import ProfileOptions
from model_runners.room import GROWTH, SHARE, Room


class Device(AbstractMeter):
    """A device with so many places, of which each sequence takes one while it is worked on."""

    def __init__(self, places: int, *, held: int = 0):
        self.places, self.held, self.peak = places, held, 0

    def begin(self) -> None:
        self.peak = 0

    def taken(self) -> float:
        return self.peak / (self.places - self.held)

    def work(self, part, rows: int) -> int:
        if len(part) > self.places - self.held:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.peak = len(part)
        return len(part)


def went(room: Room, device: Device, items: int) -> list[int]:
    return list(room.parts(range(items), device.work))


def test_it_grows_to_what_fits_and_stays_there() -> None:
    device = Device(100)
    sizes = went(Room(4, most=256, meter=device), device, 400)
    assert sizes[:3] == [4, 4 * GROWTH, 4 * GROWTH**2]
    assert set(sizes[3:-1]) == {int(SHARE * 100)}
    assert sum(sizes) == 400


def test_it_never_passes_what_is_useful() -> None:
    device = Device(10_000)
    assert max(went(Room(32, most=256, meter=device), device, 2000)) == 256
    told: list[str] = []
    assert set(went(Room(64, most=64, meter=device, tell=told.append), device, 640)) == {64}
    assert told == []


def test_it_falls_before_memory_ends() -> None:
    device = Device(100)
    told: list[str] = []
    room = Room(64, most=64, meter=device, tell=told.append)
    device.held = 20  # another program
    assert went(room, device, 64 * 3) == [64, 56, 56, 16]
    assert told == ["64 sequences at once took 80% of the free memory; going on with 56"]


def test_where_it_failed_it_does_not_grow_again() -> None:
    device = Device(100)
    room = Room(32, most=256, meter=device, tell=lambda _: None)
    assert went(room, device, 40)[0] == 32
    assert room.rows == 70
    device.held = 60  # longer prompts
    assert set(went(room, device, 350)) == {35, 28, 7} or room.rows <= 35
    device.held = 0
    assert max(went(room, device, 500)) <= 35


def test_a_number_that_was_given_is_taken_as_it_is(oracle: LoadedModel, digits: Benchmark) -> None:
    asked = ProfileOptions(model="demo/oracle", benchmark="digits_vqa")
    given = room_for(dataclasses.replace(asked, batch_size=7), oracle, digits.samples)
    device = Device(10_000)
    assert max(went(given, device, 100)) == 7
    assert room_for(asked, oracle, digits.samples).rows == MOST_ROWS["cpu"]


def test_what_surely_fits_is_counted_before_the_first_batch(
    oracle: LoadedModel, digits: Benchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ProfileOptions(model="demo/oracle", benchmark="digits_vqa")
    free = free_memory()
    fits = surely_fit(asked, oracle, digits.samples)
    assert free is not None
    assert fits is not None
    assert fits > MOST_ROWS["cpu"]
    monkeypatch.setattr(batch_size, "free_memory", lambda: free * 8 // fits)
    assert room_for(asked, oracle, digits.samples).rows in {7, 8}, "half of room for 16"


def test_a_run_finds_it_and_the_scores_are_the_same(
    untrained: Path, digits: Benchmark, tmp_path: Path
) -> None:
    few = dataclasses.replace(digits, samples=digits.samples[:48])
    loaded = load(str(untrained), device="cpu")
    asked = ProfileOptions(
        model=str(untrained), benchmark="digits_vqa", limit=24, draws=1, device="cpu"
    )
    found = profile(asked, tmp_path / "auto", loaded=loaded, benchmark=few)
    given = profile(
        dataclasses.replace(asked, batch_size=3), tmp_path / "3", loaded=loaded, benchmark=few
    )
    assert found.run_key == given.run_key, "how it ran is no part of what it is"
    assert (found.batch_size, given.batch_size) == (64, 3)
    one, other = (queries.predictions(tmp_path / name, found.run_key) for name in ("auto", "3"))
    for condition in one.scores:
        assert np.allclose(one.scores[condition], other.scores[condition], atol=1e-5), condition
    runs = [queries.runs(tmp_path / name)[0] for name in ("auto", "3")]
    assert [run.environment["batch_size"] for run in runs] == [64, 3]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak is Linux's")
def test_a_process_knows_what_its_work_took() -> None:
    meter = ProcessMeter()
    meter.begin()
    before = meter.taken()
    held = np.ones(30_000_000)
    held = held[:1].copy()
    taken, free = meter.taken(), free_memory()
    assert before is not None
    assert taken is not None
    assert free is not None
    assert 0.8 * 240e6 < (taken - before) * free < 2 * 240e6
    peak = process_peak()
    meter.begin()
    assert process_peak() == peak, "what was set back is not forgotten"
    assert held.sum() == 1


def test_the_limit_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = free_memory()
    group = tmp_path / "group" / "job" / "step"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("7000000\n")
    (group.parent / "memory.max").write_text("20000000\n")
    (group.parent / "memory.current").write_text("9000000\n")
    (group.parent / "memory.stat").write_text("anon 8000000\ninactive_file 1000000\n")
    process = tmp_path / "process"
    process.mkdir()
    (process / "cgroup").write_text("4:memory:/elsewhere\n0::/job/step\n")
    monkeypatch.setattr(meters, "PROCESS", process)
    monkeypatch.setattr(meters, "CONTROL_GROUP", tmp_path / "group")
    assert free_memory() == 12_000_000, "the group above has the limit; stale files are given back"
    assert machine is not None
    old = tmp_path / "group" / "memory" / "elsewhere"
    old.mkdir(parents=True)
    (old / "memory.limit_in_bytes").write_text("5000000\n")
    (old / "memory.usage_in_bytes").write_text("1000000\n")
    assert free_memory() == 4_000_000
