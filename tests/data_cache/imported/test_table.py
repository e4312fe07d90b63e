"""A table of distributions becomes a run: in which spellings, about which samples, and what not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache import queries
from data_cache.benchmarks import load_benchmark
from data_cache.conditions import Condition
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import BadRow, Row
from data_cache.imported import ImportOptions, ImportReport, import_predictions, table
from data_cache.imported.answers import Answer
from data_cache.imported.matching import NO_TEXT, match
from tests.data_cache.spools import small_benchmark

CSV = """\
id,answer,subset,split,p12_A,p12_B,p12_C,p1_A,p1_B,p1_C,p2_A,p2_B,p2_C
a,A,left,train,0.8,0.1,0.1,0.4,0.3,0.3,0.2,0.5,0.3
b,1,right,val,0.3,0.7,,0.5,0.5,,0.1,0.9,
"c, quoted",C,right,test,0.33,0.33,0.33,1,0,0,0,0,1
"""


def imported(cache: Path, *files: Path, **more: Any) -> ImportReport:
    options = ImportOptions(files=files, model="anybody", benchmark="theirs")
    return import_predictions(cache, replace(options, **more))


def written(folder: Path, text: str, name: str = "predictions.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def answer(values: Mapping[str, Any], known: Mapping[str, Any] | None = None) -> Answer:
    row = Row(file=Path("t.csv"), number=7, values=values)
    return table.answer_of(row, table.layout_of(values, "t.csv"), known or {})


def distributions(found: Answer) -> dict[str, list[float]]:
    return {str(c): np.round(p, 9).tolist() for c, p in found.probabilities.items()}


def test_a_csv_with_one_column_an_option_is_a_run(tmp_path: Path) -> None:
    report = imported(tmp_path / "cache", written(tmp_path, CSV))
    assert (report.samples, report.is_known, report.has_features) == (3, False, False)
    assert report.subsets == {"train": ("left",), "test": ("right",)}
    part = queries.predictions(tmp_path / "cache", report.run_key)
    place = {name: index for index, name in enumerate(part.sample_ids.tolist())}
    assert set(place) == {"a", "b", "c, quoted"}
    order = [place[name] for name in ("a", "b", "c, quoted")]
    assert part.answers[order].tolist() == [0, 1, 2]
    assert part.k[order].tolist() == [3, 2, 3]
    full = np.exp(part.scores[Condition.FULL][order, 0])
    np.testing.assert_allclose(
        full, [[0.8, 0.1, 0.1], [0.3, 0.7, 0], [1 / 3, 1 / 3, 1 / 3]], atol=1e-6
    )
    assert part.strict_choice[Condition.FULL][order, 0].tolist() == [0, 1, -1]
    assert set(part.scores) == {Condition.FULL, Condition.ONLY_1, Condition.ONLY_2}
    assert part.features_1 is None
    (sample,) = queries.samples(tmp_path / "cache", report.benchmark_key, ["a"])
    assert (sample.question, sample.options) == (NO_TEXT, ("A", "B", "C"))
    assert sample.meta == {"imported": "predictions imported from predictions.csv"}


THREE = {"full": [0.7, 0.3], "only_1": [0.5, 0.5], "only_2": [0.1, 0.9]}


@pytest.mark.parametrize(
    "values",
    [
        {"p12": [0.7, 0.3], "p1": [0.5, 0.5], "p2": [0.1, 0.9]},
        {"p12": "[0.7, 0.3]", "p1": "(0.5, 0.5)", "p2": "[0.1 0.9]"},
        {"vl_prob": "[0.7,0.3]", "v_prob": "[0.5,0.5]", "l_prob": "[0.1,0.9]"},
        {"p12_A": ".7", "p12_B": "0.3", "p1_A": 0.5, "p1_B": 0.5, "p2_A": "1e-1", "p2_B": "0.9"},
        {
            **{"p12_A": "0.7", "p12_B": "0.3", "p12_C": "", "p12_D": "nan"},
            **{"p1": "[0.5, 0.5]", "p2": "[0.1, 0.9, NaN]"},
        },
        {"mass12": [0.7, 0.3], "mass1": [0.5, 0.5], "mass2": [0.1, 0.9]},
        {"p12": [0.7, 0.3, 0.0], "p1": [0.5, 0.5, 0], "p2": [0.1, 0.9, 0], "A": "x", "B": "y"},
    ],
)
def test_the_three_distributions_may_be_spelled_in_these_ways(values: dict[str, Any]) -> None:
    found = answer({"answer": "B", **values})
    assert distributions(found) == THREE
    assert (found.count, found.right) == (2, 1)


def test_masses_keep_what_is_missing_to_1_and_name_only_what_is_certain() -> None:
    found = answer(
        {"answer": "A", "mass12": [0.6, 0.1], "mass1": [0.2, 0.1], "p2": [0.4, 0.6],
         "mass0": [0.01, 0.02], "p_no_image": [0.9, 0.1], "choice1": "B", "choice0": ""}
    )  # fmt: skip
    assert distributions(found) == {
        "full": [0.6, 0.1],
        "only_1": [0.2, 0.1],
        "only_2": [0.4, 0.6],
        "neither": [0.01, 0.02],
        "no_image": [0.9, 0.1],
    }
    assert {str(c): choice for c, choice in found.choices.items()} == {
        "full": 0,
        "only_1": 1,  # the file says so, though other words may have been likelier
        "only_2": 1,
        "neither": -1,
        "no_image": 0,
    }


@pytest.mark.parametrize(
    ("mass", "choice"),
    [([0.6, 0.1], 0), ([0.1, 0.46], 1), ([0.4, 0.1], -1), ([0.45, 0.45], -1), ([0.0, 0.0], -1)],
)
def test_a_choice_is_taken_for_granted_only_where_no_other_word_can_be_likelier(
    mass: list[float], choice: int
) -> None:
    found = answer({"answer": "A", "mass12": mass, "p1": [0.5, 0.5], "p2": [0.2, 0.8]})
    assert [found.choices[c] for c in list(Condition)[:3]] == [choice, -1, 1]


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"p1": [0.7, 0.7]}, "p1", "it sums to 1.400"),
        ({"p1": [0.3, 0.3]}, "p1", "it sums to 0.600 and not to 1"),
        ({"p1": [70, 30]}, "p1", "70 is no probability"),
        ({"p1": [-0.7, 0.3]}, "p1", "neither percentages, logarithms nor logits"),
        ({"p1": None}, "p1", "it is empty"),
        ({"p1": "high"}, "p1", "it is no list of numbers"),
        ({"p1": [0.5, None, 0.5]}, "p1", "before the last is empty"),
        ({"p1": [0.5, 0.25, 0.25]}, "p1", "3 numbers, another column has 2"),
        ({"p1": [1.0], "p12": [1.0]}, "p12", "it has 1 numbers"),
        ({"answer": "C"}, "answer", "'C' is none of the 2 options"),
        ({"split": "holdout"}, "split", "'holdout' is no split"),
        ({"features_1": "[1, Infinity]"}, "features_1", "finite numbers"),
        ({"question": "caf\udce9?"}, "question", "it is not UTF-8"),
    ],
)
def test_a_bad_row_is_named_by_file_row_and_column(
    values: dict[str, Any], column: str, reason: str
) -> None:
    good = {"answer": "A", "p12": [0.7, 0.3], "p1": [0.5, 0.5], "p2": [0.1, 0.9]}
    with pytest.raises(BadRow) as caught:
        answer(good | values)
    problem = caught.value.problem
    assert (problem.file, problem.row, problem.column) == ("t.csv", 7, column)
    assert reason in problem.reason


def test_parquet_json_lines_and_an_array_say_the_same(tmp_path: Path) -> None:
    rows = [
        {"id": f"q{i}", "answer": i % 2, "question": f"Number {i}?", "options": ["odd", "even"],
         "p12": [0.5 + i / 10, 0.5 - i / 10], "p1": [0.5, 0.5], "p2": [0.5, 0.5],
         "features_1": [float(i), 1.0], "features_2": [0.0, float(i)], "group": "all of them"}
        for i in range(4)
    ]  # fmt: skip
    parquet = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    lines = written(tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")
    array = written(tmp_path, json.dumps(rows, indent=1), "a.json")
    found = []
    for file in (parquet, lines, array):
        report = imported(tmp_path / file.suffix, file)
        part = queries.predictions(tmp_path / file.suffix, report.run_key, features=True)
        assert report.has_features
        found.append([part.scores[Condition.FULL].tolist(), part.features_1.tolist()])  # type: ignore[union-attr]  # there
        assert set(part.group_ids.tolist()) == {"all of them"}
    assert found[0] == found[1] == found[2]


def test_samples_of_a_known_benchmark_are_found_by_id(tmp_path: Path) -> None:
    digits = load_benchmark("digits_vqa")
    chosen = digits.samples[3:200:2]
    rows = [
        {"sample_id": sample.id, **{name: [0.7, 0.1, 0.1, 0.1] for name in ("p12", "p1", "p2")}}
        for sample in chosen
    ]
    path = written(tmp_path, "\n".join(map(json.dumps, rows)), "a.jsonl")
    report = imported(tmp_path / "cache", path, benchmark="digits_vqa")
    assert (report.samples, report.is_known) == (len(chosen), True)
    assert report.benchmark_key == digits.key
    part = queries.predictions(tmp_path / "cache", report.run_key)
    assert set(part.sample_ids.tolist()) == {sample.id for sample in chosen}
    by_id = {sample.id: sample.answer for sample in chosen}
    assert part.answers.tolist() == [by_id[name] for name in part.sample_ids.tolist()]
    (stored,) = queries.samples(tmp_path / "cache", digits.key, [chosen[0].id])
    assert stored.thumbnails


def own(number: int, **values: Any) -> Answer:
    given = {"p12": [0.7, 0.3], "p1": [0.5, 0.5], "p2": [0.1, 0.9], **values}
    row = Row(file=Path("t.csv"), number=number, values=given)
    return table.answer_of(row, table.layout_of(given, "t.csv"), {})


def test_a_row_that_contradicts_the_benchmark_is_bad() -> None:
    benchmark = small_benchmark(6)  # s0000: 2 options, answer 0, train; s0001: 3 options
    found = match(
        benchmark,
        [
            own(1, id="s0000", answer="A", split="train"),
            own(2, id="s0000"),
            own(3, id="s0003", answer="A"),
            own(4, id="s0001"),
            own(5, id="stranger"),
            own(6, id="s0003", split="train"),
        ],
    )
    assert set(found.answers) == {"s0000"}
    assert [(p.row, p.column, p.reason.split(";")[0]) for p in found.bad] == [
        (2, "id", "'s0000' is the id of row 1, too"),
        (3, "answer", "it is A, and that of sample 's0003' is B"),
        (4, "options", "it has 2, and sample 's0001' has 3"),
        (5, "id", "'stranger' is no sample of small"),
        (6, "split", "it is train, and that of sample 's0003' is test"),
    ]


def test_the_name_of_a_folder_says_the_split_of_the_files_own_questions_only(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    rows = [{"id": "x", "answer": "A", "p12": [1, 0], "p1": [1, 0], "p2": [1, 0]}]
    path = written(folder, json.dumps(rows), "a.json")
    assert imported(tmp_path / "a", path).subsets == {"train": ("all",)}
    assert imported(tmp_path / "b", path, split="test").subsets == {"test": ("all",)}
    # In the benchmark the first is a train sample and the second a test sample.
    answers = [
        replace(own(1, id="s0000"), assumed_split="test"),
        replace(own(2, id="s0003"), assumed_split="train"),
    ]
    found = match(small_benchmark(6), answers)
    assert (set(found.answers), found.bad) == ({"s0000", "s0003"}, ())


def test_ids_of_which_the_benchmark_knows_none_are_refused() -> None:
    with pytest.raises(BenchmarkError, match=r"none of its ids.*give them another name"):
        match(small_benchmark(6), [own(1, id="x1"), own(2, id="x2")])


@pytest.mark.parametrize(
    ("text", "name", "sentence"),
    [
        ("id,answer,p12,p1\na,A,1,1\n", "a.csv", r"no column p2 \(nor p2_A, p2_B"),
        (
            "id;answer;p12;p1;p2\na;A;1;1;1\n",
            "a.csv",
            "is separated by a semicolon, and a comma",
        ),
        ("", "a.csv", "has no rows"),
        ("id,p12_A,p12_B,p1_A,p1_B,p2_A,p2_B\na,1,0,1,0,1,0\n", "a.csv", "no column answer"),
        ("PK\x03\x04", "a.csv", "is a zip archive"),
        ("hello", "a.txt", "in no format that can be imported"),
        ("{}\n{}\n", "a.json", "no column p12, p1, p2"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused(
    tmp_path: Path, text: str, name: str, sentence: str
) -> None:
    with pytest.raises(BenchmarkError, match=sentence):
        imported(tmp_path / "cache", written(tmp_path, text, name))
    assert not (tmp_path / "cache" / "spool").exists()


@pytest.mark.parametrize(
    ("values", "column"),
    [({"id": "a\0b"}, "id"), ({"options": ["x", "\ud800"]}, "option 2")],
)
def test_texts_that_cannot_be_stored_are_bad_before_anything_is_written(
    tmp_path: Path, values: dict[str, Any], column: str
) -> None:
    good = {"answer": "A", "p12": [0.7, 0.3], "p1": [0.5, 0.5], "p2": [0.1, 0.9]}
    path = written(tmp_path, json.dumps([good | values, good]), "a.json")
    with pytest.raises(BenchmarkError, match=f"1 of 2 rows are bad.*row 1, column {column}"):
        imported(tmp_path / "cache", path)
    assert not (tmp_path / "cache" / "spool").exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="is a folder"):
        imported(tmp_path / "cache", tmp_path)


def test_a_benchmark_that_is_not_here_leaves_the_questions_to_the_file(tmp_path: Path) -> None:
    report = imported(tmp_path / "cache", written(tmp_path, CSV), benchmark="no_such:variant")
    assert (report.benchmark, report.is_known, report.notes) == ("no_such:variant", False, ())
    without_ids = "\n".join(line.split(",", 1)[1] for line in CSV.split("\n")[:3])
    report = imported(tmp_path / "cache", written(tmp_path, without_ids), benchmark="digits_vqa")
    assert (report.samples, report.is_known) == (2, False)
    assert report.notes == ("no row has an id of digits_vqa, so the questions are the file's own",)
