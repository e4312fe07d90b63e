"""Findings over models, on records whose statistics can be written down."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from data_cache.records import SpectrumRecord
from model_runners.findings import find
from model_runners.findings.material import Material, material_of
from model_runners.findings.report import Found
from tests.pages.many_models import models

NOWHERE = Path("nowhere")


def material(*records: Sequence[SpectrumRecord], benchmark: str | None = None) -> Material:
    spectra = [one for group in records for one in group]
    return material_of(
        NOWHERE, [], spectra, split="test", estimator="certified", benchmark=benchmark
    )


def only(found: list[Found], name: str) -> Found:
    return next(one for one in found if one.finding.id == name)


OVER_MODELS = ("xiu26-1", "xiu26-2a", "xiu26-2b", "xiu26-2c", "xiu26-3a", "mi26-synergy",
               "mi26-language", "mi26-total", "mi26-pope")  # fmt: skip


@pytest.fixture(scope="module")
def four() -> list[Found]:
    """Two benchmarks of each regime, as the papers have them."""
    held = material(
        models(26, benchmark="mmbench"),
        models(26, benchmark="pope", seed=1),
        models(26, benchmark="reefknot", lead="unique_2", seed=2),
        models(26, benchmark="pmc_vqa", lead="unique_2", seed=3),
    )
    return find(held, only=OVER_MODELS)


def test_regimes_are_those_of_the_papers_where_models_say_so(four: list[Found]) -> None:
    found = only(four, "xiu26-1")
    assert found.verdict == "supported"
    assert {one.part.about: one.side for one in found.parts} == {
        "mmbench": "above",
        "pope": "above",
        "reefknot": "below",
        "pmc_vqa": "below",
    }
    records = models(26, benchmark="mmbench")
    leads = [100 * (one.synergy - one.unique_2) / one.total for one in records]
    part = found.parts[0].part
    assert part.evidence.value == pytest.approx(np.mean(leads))
    assert "Xiu26" in part.published
    assert part.evidence.n == 26


def test_a_benchmark_that_models_answer_otherwise_contradicts_its_regime() -> None:
    held = material(
        models(12, benchmark="mmbench", lead="unique_2"), models(12, benchmark="pmc_vqa")
    )
    found = only(find(held, only=["xiu26-1"]), "xiu26-1")
    assert found.verdict == "contradicted"
    assert found.why == "2 of 2 statistics"


def test_correlations_stand_beside_the_published_ones(four: list[Found]) -> None:
    found = only(four, "xiu26-2a")
    records = models(26, benchmark="mmbench")
    theirs = scipy.stats.spearmanr(
        [one.synergy for one in records], [one.accuracy for one in records]
    )
    assert [one.part.about for one in found.parts] == ["mmbench", "pope"]
    assert found.parts[0].part.evidence.value == pytest.approx(theirs.statistic)
    assert [one.part.published_value for one in found.parts] == [0.75, 0.742]
    assert found.verdict == "supported"
    of_d_vision = only(four, "mi26-synergy").parts[0]
    assert of_d_vision.part.published.startswith("0.840")
    assert "0.809" in of_d_vision.part.published
    assert of_d_vision.part.evidence.value == pytest.approx(1.0)


def test_what_predicts_better_is_a_difference_of_correlations(four: list[Found]) -> None:
    found = only(four, "xiu26-2b")
    assert found.parts[0].part.published_value == pytest.approx(0.75 - 0.194)
    assert found.verdict == "supported", "unique language is noise there"
    total = only(four, "mi26-total").parts[0].part
    assert total.published_value == pytest.approx(0.840 - 0.118)
    assert "at most 0.118" in total.published


def test_two_benchmarks_of_hallucination_are_compared_within_each_model(four: list[Found]) -> None:
    found = only(four, "mi26-pope")
    assert found.verdict == "supported"
    assert found.parts[0].part.evidence.n == 26
    assert found.parts[0].part.evidence.value > 50
    alone = material(models(26, benchmark="pope"))
    assert only(find(alone, only=["mi26-pope"]), "mi26-pope").parts == ()


def test_three_models_are_not_enough_data() -> None:
    found = find(material(models(3, benchmark="mmbench")), only=OVER_MODELS)
    assert {one.verdict for one in found} == {"not enough data"}
    assert "at least 4" in only(found, "xiu26-2a").why
    assert only(found, "xiu26-2c").why == "needs at least 4 models on a knowledge-driven task"


def test_families_need_tasks_of_both_regimes(four: list[Found]) -> None:
    part = only(four, "xiu26-3a").parts[0].part
    assert (part.evidence.n, part.evidence.unit) == (4, "families")
    one = material(models(26, benchmark="mmbench"))
    assert only(find(one, only=["xiu26-3a"]), "xiu26-3a").parts == ()


def test_subsets_of_the_demo_are_tasks_by_what_their_questions_were_built_to_ask() -> None:
    held = material(
        models(5, subset="synergy"),
        models(5, subset="language", lead="unique_2"),
        models(5, subset="redundant"),
        models(5),
        benchmark="digits_vqa",
    )
    assert [(task.name, task.kind, task.origin) for task in held.tasks] == [
        ("language", "knowledge-driven", "built"),
        ("redundant", "", "built"),
        ("synergy", "synergy-driven", "built"),
    ]
    found = only(find(held, only=["xiu26-1"]), "xiu26-1")
    assert [one.part.about for one in found.parts] == ["language", "synergy"]
    assert "built" in found.parts[0].part.published


def test_adapted_models_and_checkpoints_are_no_models_of_their_own() -> None:
    adapted = [
        type(one).from_dict(one.to_dict() | {"model": f"{one.model}+pid-0123ab"})
        for one in models(6, benchmark="mmbench")
    ]
    held = material(models(6, benchmark="mmbench"), adapted)
    assert len(held.tasks[0].records) == 6
    assert len(held.adapted) == 12


def test_whole_families_can_be_drawn() -> None:
    spectra = models(12, benchmark="mmbench")
    held = material_of(NOWHERE, [], spectra, split="test", estimator="certified", by_family=True)
    part = find(held, only=["xiu26-2a"])[0].parts[0].part
    other = find(material(spectra), only=["xiu26-2a"])[0].parts[0].part
    assert part.evidence.value == other.evidence.value
    assert part.evidence.interval != other.evidence.interval
