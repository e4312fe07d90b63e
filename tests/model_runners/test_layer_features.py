"""What image and text positions hold after every layer: the same pass, both families, resumable."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from data_cache import queries
from data_cache.location import run_directory
from data_cache.samples import Benchmark, Sample
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.inference import BatchResult, BatchRunner
from model_runners.loading import LoadedModel, load
from model_runners.masking import Masker
from model_runners.profile import ProfileOptions, ProfileReport, profile
from model_runners.requests import options_of, request_of, title_of
from model_runners.statistics import observe
from model_runners.vision import VisionCache, merge


@pytest.fixture(scope="module", params=["oracle", "qwen"])
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def samples(digits: Benchmark) -> tuple[Sample, ...]:
    return tuple(digits.select(split="test", limit=40)[::8])


@pytest.fixture(scope="module")
def runner(loaded: LoadedModel, samples: tuple[Sample, ...]) -> BatchRunner:
    noise = observe(loaded, samples, scope="all", images=VisionCache(), batch_size=8)
    return BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=noise, seed=0),
        candidates=Candidates.of_model(loaded),
        images=VisionCache(),
        draws=1,
        with_layers=True,
        with_layer_features=True,
    )


@pytest.fixture(scope="module")
def result(runner: BatchRunner, samples: tuple[Sample, ...]) -> BatchResult:
    return runner.run(samples)


def test_they_are_means_of_the_hidden_states_of_an_ordinary_pass(
    loaded: LoadedModel, samples: tuple[Sample, ...], result: BatchResult
) -> None:
    """One sample at a time, without our hooks, from transformers' own hidden states."""
    assert set(result.layer_features) == {sample.id for sample in samples}
    for sample in samples[:3]:
        batch = encode(loaded.processor, [sample], image_token_id=loaded.image_token_id)
        with torch.no_grad():
            states = loaded.model(
                **batch.inputs, use_cache=False, output_hidden_states=True
            ).hidden_states
        found = result.layer_features[sample.id]
        assert len(states) == len(found.vision) + 1 == len(loaded.stack.layers) + 1
        for layer in range(len(loaded.stack.layers) - 1):  # the last one comes normalised
            for mean, where in ((found.vision, batch.vision), (found.text, batch.text)):
                expected = states[layer + 1][where].mean(0).numpy()
                assert np.allclose(mean[layer], expected, atol=1e-5), layer


def test_they_differ_between_layers_modalities_and_images(
    samples: tuple[Sample, ...], result: BatchResult
) -> None:
    first, other = (result.layer_features[sample.id] for sample in (samples[0], samples[1]))
    assert samples[0].images[0].digest != samples[1].images[0].digest
    assert not np.allclose(first.vision[0], first.vision[1], atol=1e-4)
    assert not np.allclose(first.vision, first.text, atol=1e-4)
    assert not np.allclose(first.vision, other.vision, atol=1e-6)
    assert first.vision.dtype == first.text.dtype == np.float32


@pytest.mark.parametrize("rows_per_pass", [2, 3, 7])
def test_however_a_batch_is_cut_they_are_the_same(
    runner: BatchRunner, samples: tuple[Sample, ...], result: BatchResult, rows_per_pass: int
) -> None:
    """With 3 and 7 rows a pass mixes full and masked rows."""
    cut = dataclasses.replace(runner, rows_per_pass=rows_per_pass).run(samples)
    for sample in samples:
        one, two = (r.layer_features[sample.id] for r in (result, cut))
        assert np.allclose(one.vision, two.vision, atol=1e-5)
        assert np.allclose(one.text, two.text, atol=1e-5)


def test_they_cost_no_pass_and_change_no_score(
    runner: BatchRunner, samples: tuple[Sample, ...], result: BatchResult
) -> None:
    plain = dataclasses.replace(runner, with_layer_features=False).run(samples)
    assert plain.layer_features == {}
    assert plain.passes == result.passes
    for one, two in zip(plain.rows, result.rows, strict=True):
        assert (one.sample, one.condition, one.layer) == (two.sample, two.condition, two.layer)
        assert np.array_equal(one.scores, two.scores)


def test_a_position_that_is_in_no_set_does_not_count(
    loaded: LoadedModel, samples: tuple[Sample, ...], result: BatchResult
) -> None:
    """Padding sits on the left of shorter prompts; alone a sample has none."""
    from model_runners.stack import replay

    batch = encode(loaded.processor, samples[:1], image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples[:1])
    nowhere = torch.zeros_like(batch.vision)
    last = replay(
        loaded.stack,
        captured.embeddings,
        captured.arguments(),
        positions=torch.stack([batch.vision, nowhere]),
    )
    assert last.means is not None
    assert last.layers is None
    assert np.allclose(last.means[:, 0, 0], result.layer_features[samples[0].id].vision, atol=1e-5)
    assert (last.means[:, 1] == 0).all()


def options(model: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(model), "benchmark": "digits_vqa", "limit": 12, "draws": 1, "device": "cpu",
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="module")
def small(untrained: Path) -> LoadedModel:
    return load(str(untrained), device="cpu")


def run(model: LoadedModel, cache: Path, **changes: object) -> ProfileReport:
    return profile(options(Path(model.name), **changes), cache, loaded=model)


def test_a_run_that_keeps_them_extends_one_that_did_not(small: LoadedModel, tmp_path: Path) -> None:
    plain = run(small, tmp_path, layers=True)
    folder = run_directory(tmp_path, plain.run_key)
    (before,) = folder.glob("*.parquet")
    content = before.read_bytes()
    assert b"layer_features" not in content
    richer = run(small, tmp_path, layer_features=True)
    assert richer.run_key == plain.run_key
    assert richer.computed == 12
    assert before.read_bytes() == content
    found = queries.predictions(tmp_path, plain.run_key, layer=1, features=True)
    assert found.features_layer == 1
    assert found.features_1 is not None
    assert found.features_1.shape == (12, 32)
    assert queries.features_by_layer(tmp_path, plain.run_key) == (0, 1)
    assert run(small, tmp_path).computed == 0


def test_a_longer_run_without_them_keeps_those_that_are_there(
    small: LoadedModel, tmp_path: Path
) -> None:
    run(small, tmp_path, limit=8, layer_features=True)
    longer = run(small, tmp_path, limit=12)
    assert longer.computed == 4, "the first eight are copied"
    found = queries.predictions(tmp_path, longer.run_key, features_layer=0)
    assert len(found.sample_ids) == 12


def test_a_job_without_them_is_asked_for_as_before(untrained: Path) -> None:
    plain, rich = options(untrained), options(untrained, layer_features=True)
    assert "layer_features" not in request_of(plain)
    assert options_of(json.loads(json.dumps(request_of(rich)))) == rich
    assert rich.layers
    assert "every layer with features" in title_of(rich)
    assert options_of(request_of(plain)) == plain
