"""Tasks of a job array share a run by counting, and together they are the run."""

from pathlib import Path

import pytest

from data_cache.ingest import ingest
from data_cache.location import database_path, jobs_path
from model_runners.__main__ import main
from model_runners.benchmark_choice import load_asked
from model_runners.errors import BadOption
from model_runners.shards import Shard, shard_from
from tests.data_cache.test_ingest import content
from tests.model_runners.small_jobs import chunk_bytes, command_line, options


def test_shards_divide_the_wanted_samples_and_are_alike_in_size(tmp_path: Path) -> None:
    chosen = options(Path("demo/oracle"), limit=None)
    benchmark = load_asked(chosen, tmp_path)
    wanted = benchmark.select(subset="synergy", split="test")
    parts = [Shard(number=i, of=5).part(benchmark, wanted) for i in range(1, 6)]
    ids = [sample.id for part in parts for sample in part]
    assert sorted(ids) == sorted(sample.id for sample in wanted)
    assert max(map(len, parts)) < 2 * min(map(len, parts))


def test_two_shards_without_a_database_are_the_run(tmp_path: Path) -> None:
    whole, apart = tmp_path / "whole", tmp_path / "apart"
    chosen = options(Path("demo/oracle"))
    assert main(command_line("profile", chosen, whole)) == 0
    for part in ("2/2", "1/2"):
        assert main([*command_line("profile", chosen, apart), "--shard", part]) == 0
    assert not database_path(apart).exists()
    assert not jobs_path(apart).exists()
    ingest(apart)
    (key,) = [path.name for path in (whole / "spool").iterdir() if path.name != "samples"]
    assert chunk_bytes(apart, key) == chunk_bytes(whole, key)
    assert len(chunk_bytes(apart, key)) == 3
    for table in ("predictions", "samples", "blocks", "features"):
        assert content(apart)[table] == content(whole)[table]


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "1/2/3"])
def test_what_is_no_part_of_a_whole_is_one_sentence(text: str) -> None:
    with pytest.raises(BadOption, match="a shard is i/n"):
        shard_from(text)
