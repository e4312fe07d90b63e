"""Everything that starts, writes or deletes is refused where nothing may be written."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from data_cache import derived, jobs, leftovers, permission, tags
from data_cache.adapters import LossPoint, append_loss
from data_cache.atomic import write_atomically
from data_cache.bundle import read_bundle, write_bundle
from data_cache.conditions import Condition
from data_cache.errors import ReadOnly
from data_cache.image_store import ImageStore
from data_cache.ingest import ingest, rebuild
from data_cache.permission import ENVIRONMENT_VARIABLE
from data_cache.queries import runs
from data_cache.shipped import load_demo
from data_cache.slice_export import new_file
from data_cache.store import writer
from model_runners import fetching
from model_runners import jobs as workers
from model_runners.__main__ import main
from model_runners.profile import ProfileOptions
from model_runners.registry import add_own
from tests.data_cache.spools import profile, small_benchmark

OPTIONS = ProfileOptions(model="demo/oracle", benchmark="digits_vqa", limit=64)
REASON = "nobody may write today"


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))  # of readers of SQLite
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with a run, a job and a tag."""
    cache = tmp_path_factory.mktemp("filled") / "cache"
    benchmark = small_benchmark(8)
    profile(cache, benchmark, conditions=[Condition.FULL])
    ingest(cache)
    jobs.open_or_create(cache, "profile", {"a": 1}, "a job")
    tags.add(cache, "odd", benchmark="small", benchmark_key=benchmark.key, sample_ids=["s0001"])
    with zipfile.ZipFile(cache.parent / "bundle.zip", "w") as file:
        file.writestr("bundle.json", "{}")
    return cache


def job_of(cache: Path) -> str:
    return jobs.jobs(cache)[0].job_key


WRITES: dict[str, Callable[[Path], object]] = {
    "a file": lambda cache: write_atomically(cache / "x", b"x"),
    "an exported file": lambda cache: new_file(cache / "exports" / "x.csv").__enter__(),
    "an ingest": lambda cache: writer(cache).__enter__(),
    "a rebuild": rebuild,
    "the demo": lambda cache: load_demo(cache, zoo=False),
    "a new job": lambda cache: workers.start(cache, OPTIONS),
    "an opened job": lambda cache: workers.open_job(cache, OPTIONS),
    "a resumed job": lambda cache: workers.resume(cache, job_of(cache)),
    "a cancelled job": lambda cache: workers.cancel(cache, job_of(cache)),
    "a claimed job": lambda cache: jobs.claim(cache, job_of(cache)),
    "a tag": lambda cache: tags.add(
        cache, "new", benchmark="small", benchmark_key="0" * 16, sample_ids=["s0001"]
    ),
    "a tag that goes": lambda cache: tags.take_off(cache, "odd", small_benchmark(8).key),
    "images of a benchmark": ImageStore,
    "a bundle that comes": lambda cache: read_bundle(cache, cache.parent / "bundle.zip"),
    "a bundle that goes": lambda cache: write_bundle(cache, cache.parent / "new.zip", ["a"]),
    "a removal": lambda cache: leftovers.remove(cache, []),
    "a sweep": lambda cache: derived.sweep(cache, {}),
    "a step of a training": lambda cache: append_loss(
        cache, "0" * 8, LossPoint(step=1, epoch=0.1, loss=1.0, rate=0.1)
    ),
    "a download": lambda _: fetching.download(None),  # type: ignore[arg-type]
    "a model of one's own": lambda cache: add_own("mine", str(cache)),
    "profile": lambda cache: command(cache, *["profile", "--benchmark", "digits_vqa", "--model"]),
    "demo load": lambda cache: command(cache, "demo", "load"),
}


def command(cache: Path, *words: str) -> None:
    """A command as a person types it; its refusal as the exception that the others raise."""
    more = ["demo/oracle"] if words[0] == "profile" else []
    if main([*words, *more, "--cache", str(cache)]) == 2:
        raise ReadOnly(f"{ENVIRONMENT_VARIABLE} {REASON}")


@pytest.mark.parametrize("what", WRITES)
def test_nothing_is_written_where_it_is_read_only(
    what: str, filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree(filled)
    monkeypatch.setenv("PIDSCOPE_CACHE", str(filled))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "1")
    with pytest.raises(ReadOnly, match=ENVIRONMENT_VARIABLE):
        WRITES[what](filled)
    assert tree(filled) == before


@pytest.mark.parametrize("what", WRITES)
def test_nothing_is_written_for_somebody_who_may_not(what: str, filled: Path) -> None:
    before = tree(filled)

    def rule() -> str | None:
        return REASON

    permission.ask(rule)
    permission.ask(rule)  # counts once
    try:
        with pytest.raises(ReadOnly, match=REASON):
            WRITES[what](filled)
    finally:
        permission.forget(rule)
    assert tree(filled) == before
    assert permission.refusal() is None


def test_everything_can_be_read_where_it_is_read_only(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = (jobs.jobs(filled), tags.tags(filled), runs(filled))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, "yes")
    assert (jobs.jobs(filled), tags.tags(filled), runs(filled)) == free
    assert all(free)


def test_a_slip_of_the_pen_does_not_open_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, closed in {"": 0, "0": 0, "False": 0, "off": 0, "1": 1, "ture": 1, " ": 0}.items():
        monkeypatch.setenv(ENVIRONMENT_VARIABLE, value)
        assert permission.is_read_only() is bool(closed), value
