"""The shipped demo: scores are of its weights, answers are right, spectra are the known ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_cache import estimates, queries
from data_cache.conditions import Condition
from data_cache.samples import Benchmark
from model_runners.bad_samples import BadSamples
from model_runners.candidates import Candidates
from model_runners.demo.recipes import RECIPES
from model_runners.inference import BatchRunner
from model_runners.loading import load
from model_runners.masking import Masker
from model_runners.models import MODELS
from model_runners.profile import ProfileOptions, profile, run_batches
from model_runners.statistics import noise_statistics
from model_runners.vision import VisionCache

slow = pytest.mark.slow
ATOM_OF = {
    "synergy": "synergy",
    "vision": "unique_1",
    "language": "unique_2",
    "redundant": "redundancy",
}


@pytest.fixture(scope="module")
def cache(demo: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def run(cache: Path) -> queries.RunRow:
    (found,) = [run for run in queries.runs(cache) if run.model == "demo/oracle"]
    return found


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"demo/{name}", marks=() if name in {"oracle", "language-small"} else slow)
        for name in RECIPES
    ],
)
def test_shipped_scores_are_those_of_the_shipped_weights(
    cache: Path, name: str, digits: Benchmark, tmp_path: Path
) -> None:
    """Some samples anew: statistics, masking and all conditions, from the weights."""
    (run,) = [run for run in queries.runs(cache) if run.model == name]
    loaded = load(name, device="cpu")
    images = VisionCache()
    statistics = noise_statistics(
        loaded, digits, scope="all", cache=tmp_path, images=images, batch_size=64
    )
    runner = BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=statistics, seed=run.config["seed"]),
        candidates=Candidates.of_model(loaded),
        images=images,
        draws=run.draws,
    )
    samples = digits.select(split="test", limit=32)
    stored = queries.predictions(cache, run.run_key, split="test")
    place = {sample_id: row for row, sample_id in enumerate(stored.sample_ids.tolist())}
    compared = 0
    for result in run_batches(runner, samples, 64, BadSamples()):
        for row in result.rows:
            shipped = stored.scores[row.condition][place[row.sample.id], row.draw]
            assert np.allclose(row.scores, shipped, atol=2e-4), (
                row.sample.id,
                row.condition,
                row.draw,
            )
            compared += 1
    assert compared == 32 * (2 + 3 * run.draws)


def test_profiling_the_demo_again_finds_everything_there(cache: Path, run: queries.RunRow) -> None:
    report = profile(
        ProfileOptions(
            model="demo/oracle",
            benchmark="digits_vqa",
            split="test",
            limit=256,
            draws=run.draws,
            device="cpu",
        ),
        cache,
    )
    assert report.run_key == run.run_key
    assert report.computed == 0


@pytest.mark.parametrize("subset", ATOM_OF)
def test_the_oracle_answers_and_knows_how_sure_to_be(cache: Path, subset: str) -> None:
    (record,) = estimates.load(cache, models=["demo/oracle"], subsets=[subset], split="test")
    assert record.n == 352
    assert record.accuracy >= 0.97
    assert record.calibration_error < 0.03
    assert abs(record.mean_confidence - record.accuracy) < 0.03


@pytest.mark.parametrize("subset", ATOM_OF)
def test_each_subset_has_its_two_bits_of_the_right_atom(cache: Path, subset: str) -> None:
    (record,) = estimates.load(cache, models=["demo/oracle"], subsets=[subset], split="test")
    right = ATOM_OF[subset]
    assert getattr(record, right) == pytest.approx(2.0, abs=0.15)
    assert getattr(record, right) >= record.total - 0.15
    for atom in set(ATOM_OF.values()) - {right}:
        assert abs(getattr(record, atom)) < 0.15, atom
    assert record.gap_bits < 0.02


def test_what_the_oracle_needs_is_what_its_accuracy_needs(cache: Path) -> None:
    """The behavioural side of the same coin: remove the image and see which answers are lost."""
    records = {
        record.subset: record
        for record in estimates.load(cache, models=["demo/oracle"], split="test")
    }
    for subset in ("synergy", "vision"):
        assert records[subset].d_vision == pytest.approx(0.75, abs=0.1)
    for subset in ("language", "redundant"):
        assert abs(records[subset].d_vision or 0.0) < 0.05


def test_masked_predictions_are_near_posteriors(cache: Path, run: queries.RunRow) -> None:
    """Where a source says nothing, its probe is near uniform; draw-averaged, within 0.1 bits."""
    for subset, condition in (
        ("synergy", Condition.ONLY_1), ("synergy", Condition.ONLY_2),
        ("vision", Condition.ONLY_2), ("language", Condition.ONLY_1),
    ):  # fmt: skip
        found = queries.predictions(cache, run.run_key, split="test", subset=subset)
        p = np.exp(found.scores[condition])
        p = (p / p.sum(-1, keepdims=True)).mean(1)
        entropy = -(p * np.log2(p)).sum(1).mean()
        assert entropy > 1.9, (subset, condition)


def test_every_recipe_is_shipped_with_its_spectra(cache: Path) -> None:
    shipped = {run.model: run.family for run in queries.runs(cache)}
    assert shipped == {f"demo/{name}": MODELS[f"demo/{name}"].family for name in RECIPES}
    for name in shipped:
        found = estimates.load(cache, models=[name], split="test")
        assert {record.subset for record in found} == {"all", *ATOM_OF}


@pytest.mark.parametrize("size", ["small", "large"])
def test_the_language_centric_line_follows_the_text_where_it_should_combine(
    cache: Path, size: str
) -> None:
    """Behaviour first: it is right by chance, and as right without the image."""
    fusion, language = (
        estimates.load(cache, models=[f"demo/{line}-{size}"], subsets=["synergy"], split="test")[0]
        for line in ("fusion", "language")
    )
    assert fusion.accuracy > 0.97
    assert language.accuracy < 0.35
    assert (fusion.d_vision or 0.0) > 0.6
    assert abs(language.d_vision or 0.0) < 0.05
    assert language.unique_2 > fusion.unique_2 + 0.5
    assert language.synergy < fusion.synergy - 0.3
