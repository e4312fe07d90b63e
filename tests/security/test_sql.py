"""No text of a person or of a dataset is ever part of a query."""

import ast
import dataclasses
from functools import partial
from pathlib import Path

import duckdb
import pytest

from data_cache import disagreement, estimates, queries, tags
from data_cache.across import across
from data_cache.coverage import coverage
from data_cache.errors import CacheError
from data_cache.location import database_path
from data_cache.sample_detail import sample_detail
from data_cache.sample_filters import SampleFilters
from data_cache.samples import Benchmark
from data_cache.samples_view import SampleOrder, place_of, sample_ids, subsets_of
from data_cache.store import reader
from tests.data_cache.answers import estimated, right, wrong
from tests.data_cache.spools import small_benchmark
from tests.security.attacks import SQL

ROOT = Path(__file__).parents[2]
COUNT = 2 * len(SQL)


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    """Each attack is an id, a group, a question, an option, a subset and the benchmark's name."""
    samples = tuple(
        dataclasses.replace(
            one,
            id=f"{SQL[place % len(SQL)]} {place}",
            group_id=f"{SQL[place % len(SQL)]} {place // 2}",
            question=SQL[place % len(SQL)],
            options=(SQL[place % len(SQL)], "no"),
            answer=0,
            subset=SQL[place % 2],
            split="test",
        )
        for place, one in enumerate(small_benchmark(COUNT).samples)
    )
    return Benchmark(name=SQL[0], samples=samples)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory, benchmark: Benchmark) -> Path:
    folder = tmp_path_factory.mktemp("sql") / "cache"
    for model, given in ((SQL[0], right), (SQL[1], wrong)):
        estimated(folder, benchmark, model=model, answers=given)
    return folder


def rows(cache: Path) -> dict[str, int]:
    with duckdb.connect(database_path(cache), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
            for name in names
        }


def test_every_reader_takes_texts_as_they_are(cache: Path, benchmark: Benchmark) -> None:
    before = rows(cache)
    ids = [one.id for one in benchmark.samples]
    runs = {run.model: run for run in queries.runs(cache)}
    assert set(runs) == set(SQL[:2])
    assert {run.benchmark for run in runs.values()} == {SQL[0]}
    keys = [one.estimate_key for one in estimates.load(cache)]
    assert {one.model for one in estimates.load(cache)} == set(SQL[:2])
    assert set(subsets_of(cache, keys[:1])) == set(benchmark.subsets)
    stored = queries.samples(cache, runs[SQL[0]].benchmark_key, ids)
    assert {one.sample_id for one in stored} == set(ids)
    assert sample_detail(cache, keys[:1], ids[0]).sample.sample_id == ids[0]
    assert across(cache, keys, ids[0]) is not None
    assert disagreement.agreement(cache, keys).common == COUNT
    assert set(coverage(cache)) == {run.run_key for run in runs.values()}
    assert rows(cache) == before


def test_every_filter_compares_and_nothing_more(cache: Path, benchmark: Benchmark) -> None:
    before = rows(cache)
    whole = estimates.load(cache)[0].estimate_key
    key = queries.runs(cache)[0].benchmark_key
    plain = SampleOrder(estimate_keys=(whole,), order_by="position", descending=False)
    filtered = partial(dataclasses.replace, plain)
    for text in SQL:
        having = {one.id for one in benchmark.samples if text.lower() in one.question.lower()}
        assert set(sample_ids(cache, filtered(filters=SampleFilters(text=text)))) == having, text
        tagged = benchmark.samples[3].id
        tags.add(cache, text, benchmark="b", benchmark_key=key, sample_ids=[tagged])
        assert sample_ids(cache, filtered(filters=SampleFilters(tags=(text,)))) == (tagged,)
        within = {one.id for one in benchmark.samples if one.subset == text}
        assert set(sample_ids(cache, filtered(subset=text))) == within
        assert place_of(cache, plain, text) is None
        assert sample_ids(cache, filtered(estimate_keys=(text,))) == ()
        for name in ("order_by", "split"):
            with pytest.raises(CacheError):
                filtered(**{name: text})
        with pytest.raises(CacheError):
            SampleFilters(fallback=text)
    assert rows(cache) == before


def test_a_reader_reaches_no_file_whatever_it_is_asked(cache: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with reader(cache) as connection:
        for sql in (
            f"SELECT * FROM read_csv('{secret}')",
            f"SELECT * FROM '{secret}'",
            f"ATTACH '{tmp_path / 'new.duckdb'}' AS new",
            f"COPY runs TO '{tmp_path / 'stolen.csv'}'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "DELETE FROM runs",
            "CREATE TABLE x (a INTEGER)",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(sql)
    assert sorted(tmp_path.iterdir()) == [secret]


FROM_OUTSIDE = {
    *("text", "name", "subset", "split", "model", "sample_id", "tag", "question", "answer", "low"),
    *("estimate_key", "run_key", "key", "keys", "fallback", "unlike", "path", "high", "value"),
}
"""What variables are called here that hold what a person or a dataset said."""
BEGINS = ("SELECT ", "DELETE FROM", "INSERT ", "WHERE ", "UPDATE ")


def test_no_query_is_written_with_what_came_from_outside() -> None:
    """Names of columns and tables of ours may be written into SQL; values never are."""
    found: list[str] = []
    seen = 0
    for path in sorted((ROOT / "data_cache").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.JoinedStr):
                continue
            words = [str(one.value) for one in node.values if isinstance(one, ast.Constant)]
            if not any(word in " ".join(words) for word in BEGINS):
                continue
            seen += 1
            written = [one.value for one in node.values if isinstance(one, ast.FormattedValue)]
            for one in written:
                # Of a choice between two, what is chosen from is written, not what decides.
                parts = (one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,)
                names = {n.id for p in parts for n in ast.walk(p) if isinstance(n, ast.Name)}
                if names & FROM_OUTSIDE:
                    found.append(f"{path.name}:{one.lineno}: {ast.unparse(one)}")
    assert seen > 20
    assert not found
