"""Tags and saved slices from the command line, and a slice that is profiled as a benchmark."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from data_cache import queries, tags
from data_cache.benchmarks import BenchmarkChoice, load_benchmark
from data_cache.conditions import Condition
from data_cache.ingest import ingest
from data_cache.samples import Benchmark
from data_cache.shipped import DEMO_DIRECTORY
from model_runners.__main__ import main
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions, profile

NAME = "synergy core"
MODELS = ("demo/oracle", "demo/fusion-small")
DESCRIPTION = "the first twelve test samples of synergy"


@pytest.fixture(scope="module")
def wanted(digits: Benchmark) -> tuple[str, ...]:
    return tuple(one.id for one in digits.select(subset="synergy", split="test", limit=12))


@pytest.fixture(scope="module")
def cache(
    tmp_path_factory: pytest.TempPathFactory, digits: Benchmark, wanted: tuple[str, ...]
) -> Path:
    """Two models of the demo, with a tag on some of its samples."""
    folder = tmp_path_factory.mktemp("slices")
    shutil.copytree(DEMO_DIRECTORY / "spool" / "samples", folder / "spool" / "samples")
    for sidecar in (DEMO_DIRECTORY / "spool").glob("*/run.json"):
        if any(f'"{model}"' in sidecar.read_text("utf-8") for model in MODELS):
            shutil.copytree(sidecar.parent, folder / "spool" / sidecar.parent.name)
    ingest(folder)
    tags.add(
        folder, NAME, benchmark="digits_vqa", benchmark_key=digits.key, sample_ids=wanted,
        description=DESCRIPTION,
    )  # fmt: skip
    return folder


def slices(cache: Path, *words: str) -> int:
    return main(["slices", *words, "--cache", str(cache)])


def test_a_slice_of_the_demo_is_profiled_as_the_benchmark_that_it_is(
    cache: Path, wanted: tuple[str, ...], digits: Benchmark, oracle: LoadedModel, tmp_path: Path
) -> None:
    """It comes back sample by sample, and the model answers it as it did within the whole."""
    path = tmp_path / "core.tsv"
    assert slices(cache, "export", NAME, "--to", str(path)) == 0
    choice = BenchmarkChoice(name=str(path), split_policy="own")
    again = load_benchmark(choice, cache=tmp_path / "cache")
    whole = {sample.id: sample for sample in digits.samples}
    assert {one.id: one.digest for one in again.samples} == {
        one: whole[one].digest for one in wanted
    }
    report = profile(
        ProfileOptions(
            model="demo/oracle", benchmark=str(path), split_policy="own", limit=6, draws=1,
            device="cpu",
        ),
        tmp_path / "cache",
        benchmark=again,
        loaded=oracle,
    )  # fmt: skip
    assert (report.benchmark, report.samples) == ("core", 6)
    found = queries.predictions(tmp_path / "cache", report.run_key)
    (run,) = [run for run in queries.runs(cache) if run.model == "demo/oracle"]
    before = queries.predictions(cache, run.run_key, split="test", subset="synergy")
    place = {sample_id: row for row, sample_id in enumerate(before.sample_ids.tolist())}
    for row, sample_id in enumerate(found.sample_ids.tolist()):
        then = before.scores[Condition.FULL][place[sample_id], 0]
        assert found.scores[Condition.FULL][row, 0] == pytest.approx(then, abs=2e-4)


def test_slices_are_listed_with_how_they_were_chosen(
    cache: Path, digits: Benchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    assert slices(cache) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["name", "benchmark"]
    assert row.split("  ")[:3] == [NAME, "digits_vqa", digits.key[:16]]
    assert row.endswith(DESCRIPTION)
    assert slices(cache, "list", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["samples"]) == (NAME, 12)
    assert slices(cache, "list", "--benchmark", "other") == 0
    assert capsys.readouterr().out == "no slices\n"


def test_the_numbers_of_one_or_all_models_are_exported(
    cache: Path, wanted: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert slices(cache, "export", NAME, "--to", str(tmp_path / "all.parquet")) == 0
    rows = pq.read_table(tmp_path / "all.parquet").to_pylist()
    assert len(rows) == 24
    assert {row["model"] for row in rows} == set(MODELS)
    assert {row["estimate_of"] for row in rows} == {"synergy"}
    assert {row["tags"][0] for row in rows} == {NAME}
    assert "24 rows, 0.0 MB, in " in capsys.readouterr().err
    one = ["--to", str(tmp_path / "one.csv"), "--model", "demo/oracle"]
    assert slices(cache, "export", NAME, *one) == 0
    assert (tmp_path / "one.csv").read_text("utf-8").count("demo/oracle") == 12


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["export"], "say which slice to export: `slices list` has their names"),
        (["delete"], "say which slice to delete"),
        (["export", NAME], "say where to write it: --to FILE.tsv, FILE.csv or FILE.parquet"),
        (["export", "core", "--to", "x.tsv"], "there is no tag 'core'; the tags of this cache: sy"),
        (["delete", NAME, "--benchmark", "pope"], f"there is no tag {NAME!r} on pope"),
        (["export", NAME, "--to", "x.xlsx"], "x.xlsx must end in .tsv"),
        (["export", NAME, "--to", "x.tsv", "--model", "m"], "--model chooses numbers, and x.tsv"),
        (["export", NAME, "--to", "x.csv", "--model", "m"], "has no spectrum of 'm'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    words: list[str],
    says: str,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert slices(cache, *words) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_name_on_two_benchmarks_needs_the_benchmark_and_deleting_one_keeps_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for benchmark, key in (("pope", "a" * 16), ("mmstar", "b" * 16)):
        tags.add(tmp_path, "x", benchmark=benchmark, benchmark_key=key, sample_ids=["1", "2"])
    assert slices(tmp_path, "delete", "x") == 2
    assert "2 benchmarks have a tag 'x': mmstar (b" in capsys.readouterr().err
    assert slices(tmp_path, "delete", "x", "--benchmark", "pope") == 0
    assert "was taken off 2 samples of pope" in capsys.readouterr().err
    assert [tag.benchmark for tag in tags.tags(tmp_path)] == ["mmstar"]
