"""From rows to a benchmark: bad rows listed, splits made, the same content the same key."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_cache.benchmarks import BenchmarkChoice, load_benchmark, loader_of
from data_cache.benchmarks.reading import locate, read, refuse_many_bad_rows
from data_cache.benchmarks.source import Context, Found, Source, Variant
from data_cache.errors import BenchmarkError
from data_cache.formats.delimited import read_delimited
from data_cache.formats.rows import LeftOut, Row
from data_cache.samples import Benchmark, Sample


class Plain:
    """The smallest loader: a table of id, group, question and answer, with two options."""

    SOURCE = Source(
        title="Plain",
        summary="a table",
        licence="ours",
        homepage="https://example.org",
        group="group",
        variants={"all": Variant(summary="all", files=("*.tsv",))},
        circular=True,
    )

    def rows(self, context: Context) -> Iterator[Row]:
        for path in context.found.files:
            yield from read_delimited(path, delimiter="\t", required=("id", "question"))

    def sample_of(self, row: Row, context: Context) -> Sample:
        if row.optional("kind") == "open":
            raise LeftOut("open question")
        if row.text("answer") not in {"0", "1"}:
            raise row.bad("answer", f"it is {row.text('answer')!r}, which is no option")
        return Sample(
            id=row.text("id"),
            group_id=row.text("group"),
            question=row.text("question"),
            options=("yes", "no"),
            answer=int(row.text("answer")),
        )


def load(folder: Path, rows: list[str], **options: object) -> Benchmark:
    path = folder / "plain.tsv"
    path.write_text("\n".join(["id\tgroup\tquestion\tanswer\tkind", *rows]) + "\n")
    found = Found(files=(path,), root=folder, origin="here")
    return read(
        Plain(),
        name="plain",
        variant="all",
        found=found,
        cache=folder / "cache",
        **options,  # pyright: ignore[reportArgumentType]
    )


GOOD = [f"{i}\tg{i // 2}\tq{i}?\t{i % 2}\t" for i in range(40)]


def test_bad_rows_and_rows_left_out_are_counted_apart_and_named(tmp_path: Path) -> None:
    benchmark = load(
        tmp_path,
        [*GOOD, "a\tg\tq?\t7\t", "b\tg\tq?\t1\topen", "c\tg\t\t1\t", "3\tg\tq?\t1\t", "short"],
    )
    assert len(benchmark.samples) == 40
    assert benchmark.rows == 45
    assert dict(benchmark.left_out) == {"open question": 1}
    assert [(problem.row, problem.column) for problem in benchmark.bad_rows] == [
        (41, "answer"),
        (43, "question"),
        (44, "id"),
        (45, "id"),
    ]
    assert str(benchmark.bad_rows[2]).endswith(
        "row 44, column id: the id '3' is that of row 4, too"
    )
    assert benchmark.bad_share == pytest.approx(4 / 44)


def test_bad_rows_do_not_change_the_key_and_a_second_reading_has_the_same(tmp_path: Path) -> None:
    once = load(tmp_path, GOOD)
    assert load(tmp_path, GOOD).key == once.key
    assert load(tmp_path, GOOD[::-1]).key == once.key
    assert load(tmp_path, [*GOOD, "a\tg\tq?\t7\t"]).key == once.key
    assert load(tmp_path, GOOD[:-1]).key != once.key


def test_the_split_policy_is_part_of_what_a_benchmark_is(tmp_path: Path) -> None:
    group, random = (load(tmp_path, GOOD, split_policy=name) for name in ("group", "random"))
    assert group.key != random.key
    assert sum(sample.split == "train" for sample in random.samples) == 30
    sides = {(sample.group_id, sample.split) for sample in group.samples}
    assert len(sides) == group.questions == 20


def test_a_benchmark_is_circular_only_with_all_its_passes(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).circular
    assert not load(tmp_path, GOOD, circular="base_only").circular


def test_a_benchmark_of_bad_rows_alone_says_what_the_first_is(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"no row of plain .*row 1, column answer"):
        load(tmp_path, ["a\tg\tq?\t7\t"])
    with pytest.raises(BenchmarkError, match=r"no row of plain is a sample .*: 1 open question"):
        load(tmp_path, ["a\tg\tq?\t1\topen"])


def test_a_run_is_refused_above_the_stated_share_of_bad_rows_only(tmp_path: Path) -> None:
    benchmark = load(tmp_path, [*GOOD[:19], "a\tg\tq?\t7\t"])
    refuse_many_bad_rows(benchmark, 0.05)
    with pytest.raises(BenchmarkError, match=r"1 of 20 rows .* bad, more than 4%.*row 20"):
        refuse_many_bad_rows(benchmark, 0.04)
    refuse_many_bad_rows(dataclasses.replace(benchmark, bad_rows=()), 0.0)


def test_names_that_are_not_known_are_answered_with_the_nearest() -> None:
    with pytest.raises(BenchmarkError, match=r"there is no benchmark 'digit_vqa'.*digits_vqa"):
        load_benchmark("digit_vqa")
    with pytest.raises(BenchmarkError, match=r"MMBench has no variant 'en_def'.*en_dev"):
        loader_of("mmbench:en_def")
    with pytest.raises(BenchmarkError, match="made by PIDscope, with its own split"):
        load_benchmark(BenchmarkChoice(name="digits_vqa", split_policy="random"))
    with pytest.raises(BenchmarkError, match="has no variants"):
        load_benchmark("digits_vqa:hard")
    with pytest.raises(BenchmarkError, match="split policy must be one of group, random, own"):
        BenchmarkChoice(name="pope", split_policy="half")  # pyright: ignore[reportArgumentType]


def test_a_benchmark_that_is_nowhere_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("LMUData", str(tmp_path / "lmu"))
    loader, variant = loader_of("mmbench")
    with pytest.raises(BenchmarkError, match="is not on this machine") as caught:
        locate(loader, "mmbench", variant, None)
    assert str(tmp_path / "lmu") in str(caught.value)
    assert "fetch mmbench`" in str(caught.value)
