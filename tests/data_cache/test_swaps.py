"""Runs that swap images lie in the same spool and database, and nobody takes them for others."""

import pyarrow as pa
import pytest

from data_cache.chunks import ChunkPlan, read_chunk, read_plan, write_chunk
from data_cache.conditions import PROBED, SWAPPED, Condition
from data_cache.errors import CacheError, ChunkInvalid
from data_cache.estimates import INTERVENTIONAL, load, save
from data_cache.ingest import ingest
from data_cache.location import run_directory
from data_cache.queries import predictions, runs
from data_cache.runs import run_key, write_sidecar
from data_cache.sample_chunks import write_samples
from data_cache.store import reader
from data_cache.swapped_pairs import swapped_pairs
from tests.data_cache.spools import config_of, pointwise_rows, profile, rows_of, small_benchmark
from tests.data_cache.spools import spectrum as record_of

BENCHMARK = small_benchmark(12)
IDS = tuple(sample.id for sample in BENCHMARK.samples)


def swap_plan(key: str, rounds: int = 2) -> ChunkPlan:
    return ChunkPlan(run_key=key, index=0, sample_ids=IDS, draws=rounds, conditions=SWAPPED)


def partner_of(sample_id: str, draw: int) -> str:
    """The question in the sixth place after the image's, the third, the ninth."""
    return IDS[(IDS.index(sample_id) + 6 - 3 * (draw % 2) + 3 * (draw // 2)) % 12]


def swap_rows(plan: ChunkPlan) -> pa.Table:
    rows = rows_of(plan, {s.id: len(s.options) for s in BENCHMARK.samples}, features=False)
    partners = [
        partner_of(row["sample_id"], row["draw"]) if row["condition"] == "swap" else None
        for row in rows.to_pylist()
    ]
    return rows.append_column("partner", pa.array(partners, pa.string()))


def swapped(cache, rounds: int = 2) -> str:
    config = config_of(BENCHMARK, probe="swap", partners_within="subset")
    key = run_key(config)
    write_sidecar(cache, key, config)
    write_samples(cache, BENCHMARK, range(12))
    plan = swap_plan(key, rounds)
    write_chunk(run_directory(cache, key), plan, swap_rows(plan))
    return key


def test_a_chunk_of_swaps_names_partners_and_is_read_by_no_older_program(tmp_path):
    folder = run_directory(tmp_path, "0123456789abcdef")
    plan = swap_plan(folder.name)
    path = write_chunk(folder, plan, swap_rows(plan))
    assert read_plan(path) == plan
    assert b'"schema_version":4' in plan.to_metadata()["pidscope"].encode()
    # As ever in a chunk without swaps, which earlier programs read.
    noise = ChunkPlan(run_key=folder.name, index=0, sample_ids=IDS)
    assert noise.conditions == PROBED
    assert b'"schema_version":1' in noise.to_metadata()["pidscope"].encode()
    table = read_chunk(path).table
    assert table["partner"].null_count == 12  # the full run of each
    for broken, what in (
        (pa.nulls(len(table), pa.string()), "a swap without its partner"),
        (pa.array(["s0000"] * len(table)), "a partner, which belongs to a swap only"),
        (
            pa.array(
                row["sample_id"] if row["condition"] == "swap" else None
                for row in table.to_pylist()
            ),
            "itself as its partner",
        ),
    ):
        with pytest.raises(ChunkInvalid, match=what):
            write_chunk(folder, plan, table.set_column(11, "partner", broken))


def test_swaps_are_stored_beside_noise_and_only_those_who_ask_see_them(tmp_path):
    noise = profile(tmp_path, BENCHMARK)
    key = swapped(tmp_path)
    ingest(tmp_path)
    assert [run.run_key for run in runs(tmp_path)] == [noise]
    (run,) = runs(tmp_path, probe="swap")
    assert (run.run_key, run.n_samples, run.draws) == (key, 12, 2)
    with pytest.raises(CacheError, match="no sample has all of"):
        predictions(tmp_path, key)
    made = record_of(key, estimator=INTERVENTIONAL)
    save(tmp_path, made, pointwise_rows()[:0])
    assert load(tmp_path) == []
    assert load(tmp_path, estimator=INTERVENTIONAL) == [made]


def test_pairs_come_back_by_round_and_question(tmp_path):
    key = swapped(tmp_path)
    ingest(tmp_path)
    found = swapped_pairs(tmp_path, key)
    assert tuple(found.sample_ids) == IDS
    assert found.partners.shape == (2, 12)
    for draw in range(2):
        for question in range(12):
            image = found.partners[draw, question]
            assert partner_of(IDS[image], draw) == IDS[question]
    k = found.k[3]
    assert found.swapped.shape[:2] == (2, 12)
    image = int(found.partners[1, 3])
    with reader(tmp_path) as connection:
        stored = connection.execute(
            "SELECT scores FROM predictions WHERE sample_id = ? AND condition = 'swap' AND draw=1",
            [IDS[image]],
        ).fetchall()[0][0]
    assert found.swapped[1, 3, :k].tolist() == pytest.approx(stored)
    assert len(swapped_pairs(tmp_path, key, subset="left").sample_ids) == 6
    assert swapped_pairs(tmp_path, key, rounds=1).partners.shape == (1, 12)
    with pytest.raises(CacheError, match="2 rounds are there"):
        swapped_pairs(tmp_path, key, rounds=3)


def test_more_rounds_replace_fewer_and_rows_of_a_block_come_once(tmp_path):
    key = swapped(tmp_path, 2)
    ingest(tmp_path)
    swapped(tmp_path, 3)
    ingest(tmp_path)
    assert swapped_pairs(tmp_path, key).partners.shape == (3, 12)
    with reader(tmp_path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM swaps").fetchall()[0]
    assert count == 36
    assert Condition.SWAP not in PROBED
