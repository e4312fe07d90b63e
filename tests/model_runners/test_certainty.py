"""What is measured beside an estimate, and stored with it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from data_cache import estimates, queries
from data_cache.paired import Pair, paired_rows
from model_runners.__main__ import main
from model_runners.certainty import Evidence
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, choose_run, estimate_run
from pid_core import ATOMS

VISION = EstimateOptions(subset="vision", limit=36, draws=2)


@pytest.fixture(scope="module")
def cache(demo: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    return choose_run(cache, model="demo/oracle", benchmark="digits_vqa")


@pytest.fixture(scope="module")
def plain(cache: Path, run: queries.RunRow) -> estimates.SpectrumRecord:
    return estimate_run(cache, run, VISION)[0]


def test_every_estimate_brings_its_bias_its_error_and_its_sample_size(plain) -> None:
    found = plain.diagnostics["uncertainty"]
    assert (found["method"], found["quarters"]) == ("first order", 4)
    for name in (*ATOMS, "total"):
        low, high = plain.interval[name]
        value, bias = getattr(plain, name), found["bias"][name]
        reach = 1.959964 * found["deviation"][name]
        assert low == pytest.approx(min(value, value - bias) - reach)
        assert high == pytest.approx(max(value, value - bias) + reach)
    assert set(plain.interval) == {*ATOMS, "total", *(f"{atom}_share" for atom in ATOMS)}
    sizes = plain.diagnostics["samples_needed"]
    assert sizes["delta"] == 0.05
    assert all(sizes[atom] >= 1 for atom in ATOMS)


def test_what_a_sample_adds_is_stored_for_comparisons(cache, run, plain) -> None:
    (other,) = estimate_run(cache, run, dataclasses.replace(VISION, draws=1))
    rows = paired_rows(cache, Pair(a=plain.estimate_key, b=other.estimate_key))
    assert rows.influences_a is not None
    expected = [getattr(plain, atom) for atom in ATOMS]
    assert rows.influences_a.mean(axis=0) == pytest.approx(expected, abs=1e-5)


def test_more_evidence_is_another_key_and_the_same_atoms(cache, run, plain) -> None:
    told: list[tuple[str, int, int]] = []
    asked = Evidence(bootstrap=2, resamples=2, batch_size=16, null=1)
    (found,) = estimate_run(
        cache,
        run,
        dataclasses.replace(VISION, evidence=asked),
        detail=lambda what, done, of: told.append((what, done, of)),
    )
    assert found.estimate_key != plain.estimate_key
    assert {"bootstrap", "resamples", "batch_size", "null"} <= set(found.settings)
    assert not {"bootstrap", "resamples", "batch_size", "null"} & set(plain.settings)
    assert [getattr(found, atom) for atom in ATOMS] == [getattr(plain, atom) for atom in ATOMS]
    assert found.diagnostics["uncertainty"]["method"] == "bootstrap"
    batches = found.diagnostics["resampled"]
    assert (batches["batches"], batches["batch_size"]) == (2, 16)
    assert batches["mean"]["unique_1"] == pytest.approx(found.unique_1, abs=0.3)
    nulls = found.diagnostics["null"]
    assert set(nulls) == {"exchange"}, "two draws of noise cannot be halved"
    assert nulls["exchange"]["zero"] == ["unique_1", "unique_2"]
    assert nulls["exchange"]["mean"]["unique_1"] < found.unique_1 / 3
    assert ("bootstrap", 2, 2) in told
    assert ("batches", 2, 2) in told
    assert ("null", 1, 1) in told
    stored = estimates.find(cache, found.estimate_key)
    assert stored is not None
    assert stored.to_dict() == found.to_dict()


def test_the_command_line_prints_them(cache, capsys) -> None:
    command = ["estimate", "--model", "demo/oracle", "--benchmark", "digits_vqa"]
    command += ["--subset", "vision", "--limit", "36", "--draws", "2", "--cache", str(cache)]
    command += ["--resamples", "2", "--batch-size", "16", "--null", "1"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "95 % (first order, sampling and bias): R " in printed
    assert "2 batches of 16: R " in printed
    assert "the bias is that of 16 samples" in printed
    assert "null, exchange: U1 " in printed


def test_embeddings_have_a_null_of_their_own(cache, run) -> None:
    wanted = dataclasses.replace(VISION, estimator="ipfp", clusters=4, evidence=Evidence(null=1))
    (found,) = estimate_run(cache, run, wanted)
    assert set(found.diagnostics["null"]) == {"permute"}
    assert found.diagnostics["null"]["permute"]["mean"]["total"] < found.total


def test_batches_larger_than_the_benchmark_are_answered_in_one_sentence(cache, capsys) -> None:
    command = ["estimate", "--model", "demo/oracle", "--benchmark", "digits_vqa"]
    command += [
        "--subset",
        "vision",
        "--limit",
        "36",
        "--draws",
        "2",
        "--cache",
        str(cache),
        "--resamples",
        "2",
    ]
    assert main(command) == 2
    assert "batches of 256 samples cannot be drawn from 36" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bootstrap": 1}, "says nothing about a spread"),
        ({"null": -1}, "null must be 0 or more"),
        ({"batch_size": 0}, "batch_size and workers"),
    ],
)
def test_impossible_evidence_is_refused(wrong: dict[str, int], message: str) -> None:
    with pytest.raises(BadOption, match=message):
        Evidence(**wrong)
