"""Each benchmark's fixture, from the command line to a spectrum, through a shipped model."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from data_cache import queries
from data_cache.benchmarks import BENCHMARKS, BenchmarkChoice, load_benchmark
from model_runners import bad_samples
from model_runners.__main__ import main
from model_runners.benchmark_choice import arguments_of
from model_runners.loading import load
from model_runners.profile import ProfileOptions, profile
from tests.benchmark_files.every import EVERY, OWN, expected_of, written
from tests.model_runners.zoo import TINY, build

MODEL = "demo/oracle"
LIKE_OTHERS = {"pope", "pmc_vqa", "reefknot", "vlmeval_tsv"}
"""To the runner they are like one of the rest: one image, letters; 8 s each."""
TAKES_ONE_IMAGE = {"fuyu", "instructblip", "instructblip_t5"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for all of them."""
    return tmp_path_factory.mktemp("cache")


def test_every_benchmark_of_the_table_has_a_fixture() -> None:
    from_files = {name for name, entry in BENCHMARKS.items() if not entry.built_in}
    assert set(EVERY) - set(OWN) == from_files


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in LIKE_OTHERS else ()) for name in EVERY],
)
def test_a_benchmark_goes_from_its_files_to_a_spectrum(
    name: str, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = expected_of(name)
    asked = written(name, tmp_path / name)
    benchmark = load_benchmark(
        BenchmarkChoice(name=asked["benchmark"], data=asked.get("data")), cache=cache
    )
    words = [word for option, value in asked.items() for word in (f"--{option}", value)]
    where = ["--cache", str(cache)]
    assert (
        main(["profile", "--model", MODEL, *words, "--draws", "1", "--device", "cpu", *where]) == 0
    )
    said = capsys.readouterr().err
    assert "self-test passed" in said
    assert "was left out" not in said, "every sample can be run"
    for reason, count in expected.left_out.items():
        assert f"{count} row" in said
        assert reason in said

    found = ["--benchmark", asked["benchmark"], "--split", "all", *where]
    assert main(["estimate", "--model", MODEL, *found, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["benchmark"] == benchmark.name
    assert record["n"] == expected.samples
    assert record["candidates"] == max(map(len, expected.options.values()))
    atoms = [record[atom] for atom in ("redundancy", "unique_1", "unique_2", "synergy")]
    assert sum(atoms) == pytest.approx(record["total"], abs=1e-6)

    (run,) = [one for one in queries.runs(cache) if one.benchmark == benchmark.name]
    assert run.benchmark_key == benchmark.key, "read twice, it has the same content"
    assert shlex.split(arguments_of(run.benchmark, run.environment)) == words
    assert bad_samples.read(cache / "spool" / run.run_key) == []
    if name == "mmbench":
        assert record["diagnostics"]["circular"] == {"questions": expected.questions, "left_out": 0}
        assert 0 <= record["circular_accuracy"] <= record["accuracy"] + 1e-9
        assert record["settings"]["circular"] == "all"
    else:
        assert record["circular_accuracy"] is None


def test_the_first_order_alone_is_another_run_without_circular_accuracy(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = written("mmbench", tmp_path / "mmbench")
    where = ["--cache", str(tmp_path / "cache"), "--benchmark", "mmbench"]
    least = ["--draws", "1", "--device", "cpu", "--data", asked["data"]]
    chosen = ["--circular", "base_only", "--split-policy", "random"]
    assert main(["profile", "--model", MODEL, *least, *chosen, *where]) == 0
    assert "6 rows are left out on purpose: rotated copy" in capsys.readouterr().err
    assert main(["estimate", "--model", MODEL, "--split", "all", *where, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["n"], record["circular_accuracy"]) == (3, None)
    assert record["settings"]["split_policy"] == "random"


def test_too_many_bad_rows_start_nothing_unless_they_are_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = written("own_records", tmp_path / "own")
    path = Path(asked["benchmark"])
    path.write_text(path.read_text("utf-8") + '{"question": "?", "answer": "A"}\n', "utf-8")
    cache = tmp_path / "cache"
    words = ["profile", "--model", MODEL, "--benchmark", str(path), "--limit", "2"]
    least = ["--draws", "1", "--device", "cpu", "--cache", str(cache)]
    assert main([*words, *least]) == 2
    said = capsys.readouterr().err
    assert "1 of 7 rows of own are bad, more than 5%" in said
    assert "1 row is bad and left out:" in said
    assert said.count(f"{path}, row ") == 2, "it is listed, and named in the refusal"
    assert not (cache / "spool").exists()
    assert main([*words, "--max-bad-rows", "0.2", *least]) == 0
    assert "1 row is bad and left out" in capsys.readouterr().err


def test_a_model_of_one_image_is_told_of_before_the_self_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build("instructblip", tmp_path / "model")
    asked = written("music_avqa", tmp_path / "videos")
    words = ["--model", str(model), "--benchmark", "music_avqa", "--data", asked["data"]]
    least = ["--draws", "1", "--device", "cpu", "--limit", "2", "--cache", str(tmp_path / "cache")]
    assert main(["profile", *words, *least]) == 2
    said = capsys.readouterr().err
    assert "the self-test needs two samples" in said
    assert "it has 4 images, and this model takes 1 in a prompt" in said
    assert main(["profile", *words, "--frames", "1", *least]) == 0


@pytest.mark.slow  # 29 families, 8 s each
@pytest.mark.parametrize("family", sorted(TINY))
def test_samples_with_different_numbers_of_images_go_through_one_batch(
    family: str, tmp_path: Path
) -> None:
    loaded = load(str(build(family, tmp_path / family)), device="cpu")
    for name in ("mmmu", "own_records", "music_avqa"):
        asked: dict[str, Any] = dict(written(name, tmp_path / name))
        if name == "music_avqa" and family in TAKES_ONE_IMAGE:
            asked["frames"] = 1
        options = ProfileOptions(
            model=str(tmp_path / family),
            draws=1,
            device="cpu",
            **asked,
        )
        report = profile(options, tmp_path / "cache", loaded=loaded)
        reasons = [one["reason"] for one in report.bad_samples]
        assert all("this model takes 1 in a prompt" in reason for reason in reasons)
        assert bool(reasons) == (family in TAKES_ONE_IMAGE and "frames" not in asked)
        assert report.computed == report.samples - len(reasons)
