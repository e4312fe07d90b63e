"""Spectra of swapped pairs: stored and found again, equal to what pid_core makes of the pairs."""

from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates
from data_cache.estimates import ATOMS, INTERVENTIONAL, SpectrumRecord
from data_cache.location import spool_directory
from data_cache.records import read_estimate
from data_cache.samples import Benchmark
from data_cache.shipped import DEMO_DIRECTORY, ZOO
from data_cache.swapped_pairs import swapped_pairs
from model_runners.__main__ import main
from model_runners.certainty import Evidence
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions
from model_runners.loading import LoadedModel
from model_runners.profile import ProfileOptions, profile
from model_runners.swap_estimation import choose_swap_run, estimate_swapped
from pid_core import predictive
from pid_core.interventional import estimate_interventional


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, oracle: LoadedModel) -> Path:
    folder = tmp_path_factory.mktemp("swapped")
    options = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", split="test", limit=32, device="cpu",
        probe="swap", partners=3,
    )  # fmt: skip
    profile(options, folder, loaded=oracle)
    return folder


def made(cache: Path, **changes: object) -> list[SpectrumRecord]:
    given = {"estimator": INTERVENTIONAL, "by": "subset", "evidence": Evidence(bootstrap=2)}
    run = choose_swap_run(cache, model="demo/oracle", benchmark="digits_vqa")
    return estimate_swapped(cache, run, EstimateOptions(**given | changes))  # pyright: ignore


@pytest.fixture(scope="module")
def records(cache: Path) -> list[SpectrumRecord]:
    return made(cache)


def test_the_spectrum_is_that_of_the_stored_pairs_and_is_found_again(
    cache: Path, records: list[SpectrumRecord]
) -> None:
    assert [one.subset for one in records] == ["language", "redundant", "synergy", "vision"]
    assert estimates.load(cache, estimator=INTERVENTIONAL) == records
    record = records[3]
    run = choose_swap_run(cache, model="demo/oracle", benchmark="digits_vqa")
    pairs = swapped_pairs(cache, run.run_key, subset="vision")
    swapped = np.stack([predictive(one, tau=0.3).probabilities for one in pairs.swapped])
    observed = predictive(pairs.full, tau=0.3).probabilities
    found = estimate_interventional(swapped, pairs.partners, observed=observed)
    assert {name: getattr(record, name) for name in ATOMS} == {
        name: found.corrected[name] for name in ATOMS
    }
    assert record.diagnostics["plug_in"]["unique_1"] == found.plug_in.unique_1
    assert record.diagnostics["correlation_part"] == pytest.approx(found.correlation_part)
    assert [step["rounds"] for step in record.diagnostics["convergence"]] == [2, 3]
    low, high = record.interval["unique_1"]
    assert low < record.unique_1 < high
    assert record.n == len(pairs.sample_ids) == 8


def test_pairs_of_all_subsets_are_averaged_by_their_number(
    cache: Path, records: list[SpectrumRecord]
) -> None:
    parts, (whole,) = records, made(cache, by="none")
    assert whole.subset == "all"
    for name in ATOMS:
        expected = np.average([getattr(one, name) for one in parts], weights=[o.n for o in parts])
        assert getattr(whole, name) == pytest.approx(float(expected))
    assert sum(whole.diagnostics["strata"]) == whole.n == 32


def test_the_command_says_what_it_found(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--model", "demo/oracle", "--benchmark", "digits_vqa", "--cache", str(cache)]
    asked = [*given, "--estimator", "interventional", "--subset", "vision", "--bootstrap", "2"]
    assert main(["estimate", *asked]) == 0
    said = capsys.readouterr().out
    assert "3 partners" in said
    assert "the dataset's pairing:" in said
    assert main(["estimate", *given]) == 2
    assert "no run of 'demo/oracle'" in capsys.readouterr().err
    assert main(["list", "runs", "--cache", str(cache), "--json"]) == 0
    assert '"probe": "swap"' in capsys.readouterr().out


def shipped(model: str) -> dict[str, SpectrumRecord]:
    """The spectra of swapped pairs that come with the program, by subset."""
    found = (
        read_estimate(path)[0]
        for folder in spool_directory(DEMO_DIRECTORY / ZOO).iterdir()
        if (folder / "run.json").is_file() and '"swap"' in (folder / "run.json").read_text("utf-8")
        for path in (folder / "estimates").glob("*.parquet")
    )
    return {one.subset: one for one in found if one.model == model}


def test_the_oracles_swapped_pairs_have_the_closed_form() -> None:
    found = shipped("demo/oracle")
    for subset, atom in (("synergy", "synergy"), ("vision", "unique_1"), ("language", "unique_2")):
        for name in ATOMS:
            expected = 2.0 if name == atom else 0.0
            assert getattr(found[subset], name) == pytest.approx(expected, abs=0.15)


def test_swapping_breaks_the_agreement_that_redundancy_needs() -> None:
    found = shipped("demo/oracle")["redundant"]
    # docs/method.md, section 21: at most 0.45 bits are left of 2, whichever source it follows.
    assert found.redundancy < 0.45
    low, high = found.interval["correlation_part"]
    assert found.diagnostics["correlation_part"] == pytest.approx(0.75 * 0.16, abs=0.15)
    assert low < 0.75 * 0.16 < high


def test_no_atom_of_a_real_model_is_negative_before_the_correction() -> None:
    for model in ("demo/oracle", "demo/fusion-small", "demo/fusion-qwen-large"):
        for one in shipped(model).values():
            assert min(one.diagnostics["plug_in"][name] for name in ATOMS) >= -one.gap_bits - 1e-9


def test_what_swapped_pairs_do_not_have_is_refused(cache: Path) -> None:
    for changes in ({"layers": True}, {"limit": 3}):
        with pytest.raises(BadOption, match="estimated whole"):
            made(cache, **changes)
    with pytest.raises(BadOption, match=r"no run of 'other'.*--model other.*--probe swap"):
        choose_swap_run(cache, model="other", benchmark="digits_vqa")


def test_letters_that_mean_other_words_in_each_question_are_told(
    tmp_path: Path, oracle: LoadedModel, digits: Benchmark
) -> None:
    options = ProfileOptions(
        model="demo/oracle", benchmark="digits_vqa", split="test", limit=12, device="cpu",
        probe="swap", partners=2, partners_within="benchmark",
    )  # fmt: skip
    profile(options, tmp_path, loaded=oracle, benchmark=digits)
    with pytest.raises(BadOption, match=r"pairs samples of different subsets"):
        made(tmp_path)
    (record,) = made(tmp_path, by="none")
    assert "a letter means another answer in each" in record.warnings[0]
    assert "2 rounds of swaps allow no correction" in record.warnings[1]
