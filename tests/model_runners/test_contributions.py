"""Contributions of a cached run: the table, the layers, and the command that prints them."""

import json
from pathlib import Path

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import Condition
from model_runners.__main__ import main
from model_runners.commands.contributions import numbers
from model_runners.contributions import ContributionOptions, contributions
from model_runners.errors import BadOption
from model_runners.estimation import EstimateOptions, estimate_run, settings_of
from model_runners.profile import ProfileOptions, profile
from pid_core import Channels, estimate, predictive

QUICK = {"seeds": 1, "permutations": 1, "split": "all", "tau": 0.0}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, untrained: Path) -> Path:
    """Sixty samples with features of both layers, and ten of another seed without."""
    folder = tmp_path_factory.mktemp("contributions")
    for more in ({"limit": 60, "layer_features": True}, {"limit": 10, "seed": 1}):
        chosen = {"model": str(untrained), "benchmark": "digits_vqa", "draws": 1, "device": "cpu"}
        profile(ProfileOptions(**{**chosen, **more}), folder)
    return folder


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    return next(run for run in queries.runs(cache) if run.n_samples == 60)


def test_a_row_is_the_estimator_on_the_runs_own_answers(cache: Path, run: queries.RunRow) -> None:
    (one,) = contributions(cache, run, ContributionOptions(clusters=(4,), **QUICK))
    part = queries.predictions(cache, run.run_key, features=True)
    answers = predictive(part.scores[Condition.FULL][:, 0], part.valid, 0.0).probabilities
    expected = estimate(
        Channels(
            full=answers, only_1=answers, only_2=answers,
            features_1=part.features_1, features_2=part.features_2, valid=part.valid,
        ),
        "ipfp", clusters=4,
    )  # fmt: skip
    assert (one.n, one.subset, one.layer) == (60, "all", -1)
    assert one.row.found.total == pytest.approx(expected.total)
    assert one.row.found.unique_1 == pytest.approx(expected.unique_1, abs=1e-3)


def test_layers_change_the_embeddings_and_not_the_answers(cache: Path, run: queries.RunRow) -> None:
    seen: list[tuple[int, int]] = []
    found = contributions(
        cache,
        run,
        ContributionOptions(layers=True, clusters=(4,), **QUICK),
        progress=lambda *at: seen.append(at),
    )
    assert [one.layer for one in found] == [-1, 0, 1]
    assert len({one.row.ceiling_bits for one in found}) == 1
    assert len({one.row.found.total for one in found}) > 1
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_noise_and_k_are_varied_on_request(cache: Path, run: queries.RunRow) -> None:
    noisy = contributions(
        cache, run, ContributionOptions(noise=True, clusters=(2, 4), limit=30, **QUICK)
    )
    assert [(one.row.clusters, one.row.noise) for one in noisy] == [
        (k, scale) for k in (2, 4) for scale in (0.0, 0.05, 0.1, 0.2, 0.5)
    ]
    assert {one.n for one in noisy} == {30}
    assert ContributionOptions().codes == (16, 64, 256)
    assert ContributionOptions(layers=True).codes == (64,)


def test_every_subset_has_a_table_of_its_own(cache: Path, run: queries.RunRow) -> None:
    found = contributions(cache, run, ContributionOptions(by="subset", clusters=(2,), **QUICK))
    assert sorted(one.subset for one in found) == ["language", "redundant", "synergy", "vision"]
    assert sum(one.n for one in found) == 60


def test_an_estimate_of_a_layer_reads_that_layers_embeddings_and_its_key_says_so(
    cache: Path, run: queries.RunRow
) -> None:
    options = EstimateOptions(
        estimator="ipfp", split="all", by="none", layer=1, clusters=4, tau=0.0
    )
    (record,) = estimate_run(cache, run, options)
    assert record.settings["features_layer"] == 1
    part = queries.predictions(cache, run.run_key, features=True)
    assert "features_layer" not in settings_of(run, part, options), "keys of old stay"
    certified = queries.predictions(cache, run.run_key, layer=1)
    assert "features_layer" not in settings_of(run, certified, options)


def test_the_command_prints_a_table_and_json(
    cache: Path, run: queries.RunRow, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "contributions", "--model", "untrained", "--benchmark", "digits_vqa", "--split", "all",
        "--run", run.run_key, "--cache", str(cache), "--seeds", "1", "--permutations", "1",
        "--tau", "0",
    ]  # fmt: skip
    assert main([*words, "--clusters", "2,60"]) == 0
    printed = capsys.readouterr().out
    assert "untrained  digits_vqa/all  n 60  at most" in printed
    assert len([line for line in printed.splitlines() if line.startswith("input ")]) == 2
    assert "have a cell of codes for themselves" in printed, "60 codes for 60 samples"
    assert main([*words, "--layers", "--clusters", "2"]) == 0
    assert "leans to the text by position alone" in capsys.readouterr().out
    assert main([*words, "--layers", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["layer"] for row in rows] == [-1, 0, 1]
    assert {"clusters", "contribution_1", "found", "chance", "alone", "cautions"} <= set(rows[0])
    assert main([*words, "--permutations", "0", "--clusters", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[3].split()[-4:-1] == ["-", "-", "-"]


def test_a_contribution_that_is_none_is_null_in_json(cache: Path, run: queries.RunRow) -> None:
    (one,) = contributions(cache, run, ContributionOptions(clusters=(1,), **QUICK))
    assert np.isnan(one.row.contribution_1)
    assert one.to_dict()["contribution_1"] is None


def test_a_run_without_features_of_layers_says_how_to_add_them(cache: Path) -> None:
    (other,) = (run for run in queries.runs(cache) if run.n_samples == 10)
    with pytest.raises(BadOption, match="--benchmark digits_vqa --layer-features"):
        contributions(cache, other, ContributionOptions(layers=True))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"noise": True, "layers": True}, "not both"),
        ({"seeds": 0}, "seeds must be 1 or more, not 0"),
        ({"permutations": -1}, "permutations must be 0 or more"),
        ({"clusters": (0, 4)}, "clusters must be 1 or more, not 0"),
        ({"clusters": ()}, "clusters must be 1 or more"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict, says: str) -> None:
    with pytest.raises(BadOption, match=says):
        ContributionOptions(**change)


def test_clusters_are_read_from_a_list_with_commas() -> None:
    assert numbers("16,64") == (16, 64)
    assert numbers(None) is None
    with pytest.raises(BadOption, match="whole numbers with commas"):
        numbers("16;64")
