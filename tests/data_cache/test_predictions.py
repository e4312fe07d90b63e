import numpy as np
import pytest

from data_cache.chunks import ChunkPlan, write_chunk
from data_cache.conditions import Condition
from data_cache.errors import CacheError, CacheMissing
from data_cache.ingest import ingest
from data_cache.location import run_directory, samples_directory
from data_cache.queries import predictions
from data_cache.sample_chunks import write_samples
from tests.data_cache.spools import profile, rows_of, score_of, small_benchmark

BENCHMARK = small_benchmark(100)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def key(cache):
    key = profile(cache, BENCHMARK, draws=3, layers=(-1, 0, 5))
    ingest(cache)
    return key


def test_every_score_is_where_it_belongs(cache, key):
    found = predictions(cache, key)
    assert list(found.sample_ids) == [sample.id for sample in BENCHMARK.samples]
    assert found.scores[Condition.FULL].shape == (100, 1, 4)
    assert found.scores[Condition.NO_IMAGE].shape == (100, 1, 4)
    assert found.scores[Condition.ONLY_2].shape == (100, 3, 4)
    assert found.draws == 3
    for condition, scores in found.scores.items():
        for i in (0, 1, 2, 63, 64, 99):
            k = len(BENCHMARK.samples[i].options)
            for draw in range(scores.shape[1]):
                expected = score_of(BENCHMARK.samples[i].id, condition, draw, -1, k)
                np.testing.assert_allclose(scores[i, draw, :k], expected, atol=1e-6)
                assert (scores[i, draw, k:] == -np.inf).all()
    assert found.strict_choice[Condition.ONLY_1][0].tolist() == [0, 1, 0]


def test_what_is_known_of_a_sample_stands_beside_its_scores(cache, key):
    found = predictions(cache, key)
    for name, expected in (
        ("answers", [sample.answer for sample in BENCHMARK.samples]),
        ("group_ids", [sample.group_id for sample in BENCHMARK.samples]),
        ("subsets", [sample.subset for sample in BENCHMARK.samples]),
        ("splits", [sample.split for sample in BENCHMARK.samples]),
        ("k", [len(sample.options) for sample in BENCHMARK.samples]),
        ("positions", list(range(100))),
        ("text_tokens", [20] * 100),
        ("image_tokens", [16] * 100),
    ):
        assert getattr(found, name).tolist() == expected, name
    assert (found.valid.sum(axis=1) == found.k).all()
    assert found.incomplete == 0


def test_subset_split_and_limit_choose_in_the_order_of_the_benchmark(cache, key):
    chosen = BENCHMARK.select(subset="left", split="test", limit=7)
    found = predictions(cache, key, subset="left", split="test", limit=7)
    assert list(found.sample_ids) == [sample.id for sample in chosen]
    assert len(predictions(cache, key, split="all").sample_ids) == 100


def test_an_inner_layer_has_its_own_scores(cache, key):
    found = predictions(cache, key, layer=5, limit=3)
    expected = score_of("s0001", Condition.NEITHER, 2, 5, 3)
    np.testing.assert_allclose(found.scores[Condition.NEITHER][1, 2, :3], expected, atol=1e-6)


def test_features_come_when_asked_for(cache, key):
    assert predictions(cache, key).features_1 is None
    found = predictions(cache, key, features=True)
    assert found.features_1 is not None
    assert found.features_2 is not None
    assert found.features_1.shape == (100, 3)
    np.testing.assert_array_equal(found.features_2[:, 1], found.k)


def test_fewer_draws_are_the_first_ones_and_more_are_refused(cache, key):
    all_draws, two = predictions(cache, key), predictions(cache, key, draws=2)
    for condition, scores in two.scores.items():
        np.testing.assert_array_equal(scores, all_draws.scores[condition][:, :2])
    with pytest.raises(CacheError, match="4 draws were asked for and 3 are there"):
        predictions(cache, key, draws=4)


def test_a_condition_that_some_samples_lack_is_left_out(tmp_path):
    masked = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)
    key = profile(tmp_path, BENCHMARK, limit=64, conditions=masked)
    write_samples(tmp_path, BENCHMARK)
    add_chunk(tmp_path, key, 1, *(sample.id for sample in BENCHMARK.samples[64:]), draws=2)
    ingest(tmp_path)
    assert len(predictions(tmp_path, key).sample_ids) == 100
    assert tuple(predictions(tmp_path, key).scores) == masked
    assert set(predictions(tmp_path, key, limit=64).scores) == set(masked)


def add_chunk(cache, key, index, *ids, **more):
    plan = ChunkPlan(run_key=key, index=index, sample_ids=ids, **more)
    options = {sample.id: len(sample.options) for sample in BENCHMARK.samples}
    write_chunk(run_directory(cache, key), plan, rows_of(plan, options))


def test_samples_without_a_masked_condition_are_left_out_and_counted(tmp_path):
    key = profile(tmp_path, BENCHMARK, limit=10)
    add_chunk(tmp_path, key, 0, "s0020", "s0021", conditions=(Condition.FULL,))
    ingest(tmp_path)
    found = predictions(tmp_path, key)
    assert len(found.sample_ids) == 10
    assert found.incomplete == 2


def test_questions_without_an_answer_say_what_is_missing(cache, key, tmp_path):
    with pytest.raises(CacheMissing):
        predictions(tmp_path, key)
    for how, reason in (
        ({"run_key": "nobody"}, "there is no run 'nobody'.*list runs --cache"),
        ({"subset": "centre"}, "subset centre.*no predictions"),
        ({"layer": 17}, "layer 17: no predictions"),
    ):
        with pytest.raises(CacheError, match=reason):
            predictions(cache, **{"run_key": key, **how})


def test_samples_that_were_never_stored_are_missed(tmp_path):
    key = profile(tmp_path, BENCHMARK, limit=10)
    for path in samples_directory(tmp_path, BENCHMARK.key).iterdir():
        path.unlink()
    ingest(tmp_path)
    with pytest.raises(CacheError, match="no predictions with samples"):
        predictions(tmp_path, key)
