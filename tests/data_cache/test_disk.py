"""The room that a cache takes is the size of its files, each counted once."""

from data_cache.disk import disk_use
from data_cache.ingest import ingest
from tests.data_cache.spools import profile, small_benchmark


def test_every_file_is_counted_once(tmp_path):
    profile(tmp_path, small_benchmark(4))
    ingest(tmp_path)
    adapter = tmp_path / "adapters" / "key" / "record.json"
    adapter.parent.mkdir(parents=True)
    adapter.write_bytes(bytes(1000))
    (tmp_path / "images.sqlite").write_bytes(bytes(500))
    use = disk_use(tmp_path)
    sizes = {path: path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()}
    assert use.total == sum(sizes.values())
    assert use.chunks == sum(n for path, n in sizes.items() if "spool" in path.parts)
    assert use.database == (tmp_path / "cache.duckdb").stat().st_size
    assert (use.adapters, use.rest) == (1000, use.total - use.chunks - use.database - 1000)
    assert use.rest >= 500
    assert use.free > 0


def test_what_a_link_points_to_is_not_counted(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "large").write_bytes(bytes(10_000))
    (tmp_path / "cache" / "link").symlink_to(tmp_path / "large")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "large").write_bytes(bytes(10_000))
    (tmp_path / "cache" / "folder").symlink_to(tmp_path / "elsewhere")
    assert disk_use(tmp_path / "cache").total < 1000


def test_a_cache_that_is_not_there_takes_no_room(tmp_path):
    use = disk_use(tmp_path / "none" / "cache")
    assert use.total == 0
    assert use.free > 0
    assert not (tmp_path / "none").exists()
