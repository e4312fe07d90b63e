"""Features of inner layers: kept beside the scores, found again, and absent where not asked for."""

import dataclasses

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache.chunks import ChunkPlan, covering_chunk, read_chunk, write_chunk
from data_cache.conditions import Condition
from data_cache.errors import CacheError, ChunkInvalid
from data_cache.ingest import ingest, rebuild
from data_cache.location import run_directory
from data_cache.plan import largest_first
from data_cache.queries import features_by_layer, predictions
from data_cache.sample_chunks import write_samples
from data_cache.store import reader
from tests.data_cache.spools import profile, rows_of, small_benchmark

BENCHMARK = small_benchmark(70)
LAYERS = (-1, 0, 3)


def plan_of(**more) -> ChunkPlan:
    fields = {"run_key": "run", "index": 0, "sample_ids": ("a", "b"), "layers": LAYERS}
    return ChunkPlan(**{**fields, "layer_features": True, **more})


def plain(plan: ChunkPlan) -> ChunkPlan:
    return dataclasses.replace(plan, layer_features=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def key(cache):
    key = profile(cache, BENCHMARK, draws=2, layers=LAYERS, layer_features=True)
    ingest(cache)
    return key


def test_a_chunk_with_features_of_layers_reads_back(tmp_path):
    plan = plan_of()
    chunk = read_chunk(write_chunk(tmp_path / "run", plan, rows_of(plan)))
    assert chunk.plan == plan
    filled = [row for row in chunk.table.to_pylist() if row["features_1"] is not None]
    assert {(row["sample_id"], row["layer"]) for row in filled} == {
        (sample, layer) for sample in "ab" for layer in LAYERS
    }
    assert {row["condition"] for row in filled} == {"full"}


def test_a_chunk_without_them_has_the_name_and_the_words_it_always_had(tmp_path):
    """Shipped and earlier spools are named and described by these bytes."""
    plan = plain(plan_of())
    assert plan.name == "00000-125e17e6efa5.parquet"
    metadata = plan.to_metadata()["pidscope"]
    assert "layer_features" not in metadata
    assert '"schema_version":1' in metadata
    assert plan_of().name != plan.name


def test_an_older_program_would_refuse_the_chunk_and_not_call_it_broken(tmp_path):
    path = write_chunk(tmp_path / "run", plan_of(), rows_of(plan_of()))
    assert b'"schema_version":2' in pq.read_metadata(path).metadata[b"pidscope"]


def test_more_features_cover_fewer_and_not_the_other_way_round(tmp_path):
    rich, poor = plan_of(), plain(plan_of())
    assert rich.covers(poor)
    assert not poor.covers(rich)
    assert largest_first([poor, rich]) == [rich, poor]
    write_chunk(tmp_path / "run", poor, rows_of(poor))
    path = write_chunk(tmp_path / "run", rich, rows_of(rich))
    assert covering_chunk(tmp_path / "run", 0, ["a", "b"], 1, LAYERS) == path


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"layers": (-1,)}, "without an inner layer"),
        ({"conditions": (Condition.ONLY_1,)}, "without an inner layer of the full run"),
    ],
)
def test_features_of_layers_need_the_rows_that_hold_them(change, match):
    with pytest.raises(ChunkInvalid, match=match):
        plan_of(**change)


def test_a_chunk_must_keep_what_its_plan_promises_and_no_more(tmp_path):
    rich, poor = plan_of(), plain(plan_of())
    with pytest.raises(ChunkInvalid, match="no features_1, which its plan promises"):
        write_chunk(tmp_path / "run", rich, rows_of(poor))
    with pytest.raises(ChunkInvalid, match="belongs to the full output only"):
        write_chunk(tmp_path / "run", poor, rows_of(rich))
    rows = rows_of(rich).to_pylist()
    masked = next(row for row in rows if row["condition"] == "only_1" and row["layer"] == 0)
    masked["features_2"] = [1.0, 2.0, 3.0]
    with pytest.raises(ChunkInvalid, match="belongs to the full run only"):
        write_chunk(tmp_path / "run", rich, pa.Table.from_pylist(rows))
    masked["features_2"] = None
    next(r for r in rows if r["layer"] == 3 and r["condition"] == "full")["features_1"] = [np.inf]
    with pytest.raises(ChunkInvalid, match="different lengths"):
        write_chunk(tmp_path / "run", rich, pa.Table.from_pylist(rows))


def test_features_of_a_layer_come_back_in_the_order_of_the_benchmark(cache, key):
    assert features_by_layer(cache, key) == (0, 3)
    found = predictions(cache, key, layer=3, features=True)
    assert found.features_layer == 3
    one, two = both(found)
    assert one.shape == (70, 3)
    assert (one[:, 0] == 3).all()
    np.testing.assert_array_equal(two[:, 2], found.k)
    own = predictions(cache, key, features=True)
    assert own.features_layer == -1
    assert (both(own)[0][:, 0] == 1).all()


def test_scores_of_one_layer_can_stand_beside_features_of_another(cache, key):
    own = predictions(cache, key)
    crossed = predictions(cache, key, features_layer=0)
    assert crossed.layer == -1
    assert crossed.features_layer == 0
    assert (both(crossed)[0][:, 0] == 0).all()
    np.testing.assert_array_equal(crossed.scores[Condition.FULL], own.scores[Condition.FULL])
    assert own.features_1 is None
    with pytest.raises(CacheError, match="features of layer 7; profile with --layer-features"):
        predictions(cache, key, features_layer=7)


def test_a_run_that_kept_none_gives_those_of_the_input(tmp_path):
    key = profile(tmp_path, BENCHMARK, layers=LAYERS)
    ingest(tmp_path)
    assert features_by_layer(tmp_path, key) == ()
    found = predictions(tmp_path, key, layer=3, features=True)
    assert found.features_layer == -1
    assert (both(found)[0][:, 0] == 1).all()


def test_samples_without_them_are_not_passed_over_in_silence(tmp_path):
    """One block was profiled with features of layers and the other without."""
    key = profile(tmp_path, BENCHMARK, limit=64, layers=LAYERS, layer_features=True)
    plan = ChunkPlan(
        run_key=key, index=1, sample_ids=tuple(s.id for s in BENCHMARK.samples[64:]), draws=2,
        layers=LAYERS,
    )  # fmt: skip
    options = {sample.id: len(sample.options) for sample in BENCHMARK.samples}
    write_chunk(run_directory(tmp_path, key), plan, rows_of(plan, options))
    write_samples(tmp_path, BENCHMARK)
    ingest(tmp_path)
    assert features_by_layer(tmp_path, key) == (0, 3)
    assert predictions(tmp_path, key, features_layer=3, limit=64).features_layer == 3
    with pytest.raises(CacheError, match="not every sample has features of layer 3"):
        predictions(tmp_path, key, features_layer=3)
    assert predictions(tmp_path, key, layer=3, features=True).features_layer == -1


def test_a_richer_chunk_supersedes_a_poorer_one_and_a_rebuild_says_the_same(tmp_path):
    key = profile(tmp_path, BENCHMARK, limit=10, layers=LAYERS)
    ingest(tmp_path)
    profile(tmp_path, BENCHMARK, limit=10, layers=LAYERS, layer_features=True)
    report = ingest(tmp_path)
    assert report.superseded == 1
    assert rows(tmp_path) == 20
    rebuild(tmp_path)
    assert rows(tmp_path) == 20
    assert len(predictions(tmp_path, key, features_layer=0).sample_ids) == 10


def test_of_two_chunks_with_a_row_the_one_with_its_features_gives_them(tmp_path):
    """Neither covers the other: more draws here, features there."""
    key = profile(tmp_path, BENCHMARK, limit=10, layers=LAYERS, draws=3)
    profile(tmp_path, BENCHMARK, limit=10, layers=LAYERS, draws=1, layer_features=True)
    assert ingest(tmp_path).superseded == 0
    assert rows(tmp_path) == 20
    found = predictions(tmp_path, key, features_layer=3)
    assert (found.draws, len(found.sample_ids)) == (3, 10)


def both(found) -> tuple[np.ndarray, np.ndarray]:
    assert found.features_1 is not None
    assert found.features_2 is not None
    return found.features_1, found.features_2


def rows(cache) -> int:
    with reader(cache) as connection:
        return connection.execute("SELECT count(*) FROM layer_features").fetchall()[0][0]
