"""Stage-2 JSON of Xiu26 becomes a run: what is in it, what is made of it, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import Condition
from data_cache.errors import BenchmarkError
from data_cache.formats.rows import BadRow, Row
from data_cache.imported import ImportOptions, ImportReport, import_predictions, xiu26
from pid_core import predictive
from tests.benchmark_files import drawn, stage_2

CONDITIONS = (Condition.FULL, Condition.ONLY_1, Condition.ONLY_2)
Items = list[dict[str, Any]]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    folder = stage_2.write(tmp_path / "results")
    return folder / "train" / "demo_3.json", folder / "val" / "demo_3.json"


def imported(cache: Path, *files: Path, **more: Any) -> ImportReport:
    options = ImportOptions(files=files, model="demo-3b", benchmark="shapes")
    return import_predictions(cache, replace(options, **more))


def test_the_files_of_both_splits_are_one_run(tmp_path: Path, files: tuple[Path, Path]) -> None:
    cache = tmp_path / "cache"
    report = imported(cache, *files)
    assert (report.rows, report.samples, report.bad_rows, report.notes) == (6, 6, (), ())
    assert report.subsets == {"train": ("all",), "test": ("all",)}
    assert report.conditions == CONDITIONS
    assert report.has_features
    (run,) = queries.runs(cache)
    assert (run.run_key, run.model, run.family) == (report.run_key, "demo-3b", "imported")
    assert (run.benchmark, run.n_samples, run.draws, run.layers) == ("shapes", 6, 1, (-1,))
    assert run.config["imported"] == "Stage-2 JSON of Xiu26"
    assert run.config["probabilities"] == dict.fromkeys(map(str, CONDITIONS), "vocabulary")
    assert run.environment["imported_from"] == ["demo_3.json", "demo_3.json"]
    assert run.self_test == {}


def test_questions_options_and_images_are_read_out_of_the_items(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    cache = tmp_path / "cache"
    report = imported(cache, *files)
    for split in ("train", "test"):
        ids = [f"{split}-{number:06d}" for number in (1, 2, 3)]
        samples = queries.samples(cache, report.benchmark_key, ids)
        assert tuple(sample.question for sample in samples) == stage_2.QUESTIONS
        assert tuple(sample.options for sample in samples) == stage_2.OPTIONS
        assert tuple(sample.answer for sample in samples) == stage_2.ANSWERS
        assert {sample.split for sample in samples} == {split}
        assert [sample.thumbnails for sample in samples] == [
            (drawn.drawn("circle"),), (drawn.drawn("circle"),), (drawn.drawn("square"),)
        ]  # fmt: skip
        one, two, three = (sample.group_id for sample in samples)
        assert one == two != three  # the same picture
        assert [sample.meta["answered"] for sample in samples] == ["A", "The", " C"]
        assert "You must answer with the letter" in samples[0].meta["prompt"]
        assert samples[0].meta["imported"] == "predictions imported from demo_3.json, demo_3.json"


def test_scores_are_the_mass_among_all_words_so_that_tau_can_be_chosen_again(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    cache = tmp_path / "cache"
    part = queries.predictions(cache, imported(cache, files[1]).run_key, features=True)
    order = np.argsort(part.sample_ids)
    items = stage_2.items(dict.fromkeys(("circle", "square"), ""))
    for condition, name in zip(CONDITIONS, ("vl", "v", "l"), strict=True):
        found = predictive(part.scores[condition], part.valid, tau=stage_2.THRESHOLD)
        fell_back = tuple(found.fallback[order, 0].astype(int))
        assert fell_back == stage_2.FALLBACKS[str(condition)]
        for row, item in zip(order, items, strict=True):
            count = item["num_options"]
            turn = item["conversations"][1]
            scores = part.scores[condition][row, 0, :count]
            np.testing.assert_allclose(np.exp(scores), turn[f"{name}_orig_prob"][:count], atol=1e-7)
            np.testing.assert_allclose(
                found.probabilities[row, 0, :count], turn[f"{name}_prob"][:count], atol=1e-6
            )
        # A lower threshold undoes the fall-back that the file's own distributions cannot undo.
        assert not predictive(part.scores[condition], part.valid, tau=0.1).fallback.any()
        assert tuple(part.strict_choice[condition][order, 0]) == stage_2.CHOICES[str(condition)]
    assert part.features_1 is not None
    assert part.features_2 is not None
    np.testing.assert_allclose(part.features_1[order][1], [0.5, 0.5, -1.0])
    assert part.features_2.shape == (3, 2)


def test_without_masses_the_distributions_stay_as_they_are(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    items = changed(files[1], without_masses)
    cache = tmp_path / "cache"
    report = imported(cache, files[1])
    part = queries.predictions(cache, report.run_key)
    (run,) = queries.runs(cache)
    assert run.config["probabilities"] == dict.fromkeys(map(str, CONDITIONS), "options")
    for tau in (0.0, 0.3, 0.9):
        assert not predictive(part.scores[Condition.ONLY_2], part.valid, tau).fallback.any()
    first = list(part.sample_ids).index("test-000001")
    text_alone = np.exp(part.scores[Condition.ONLY_2][first, 0])
    np.testing.assert_allclose(text_alone, [0.25] * 4, atol=1e-7)
    assert part.strict_choice[Condition.ONLY_2][first, 0] == -1  # uniform names none
    assert len(items) == 3


def test_the_same_file_gives_the_same_run(tmp_path: Path, files: tuple[Path, Path]) -> None:
    first = imported(tmp_path / "a", files[1])
    other = imported(tmp_path / "b", files[1])
    assert first.run_key == other.run_key
    spool = [sorted((tmp_path / x / "spool" / first.run_key).glob("*.parquet")) for x in "ab"]
    assert [p.read_bytes() for p in spool[0]] == [p.read_bytes() for p in spool[1]]
    assert imported(tmp_path / "a", files[1]).samples == 3  # nothing comes twice
    assert [run.n_samples for run in queries.runs(tmp_path / "a")] == [3]
    changed(files[1], lambda items: turn_of(items[0]).update(value="B"))
    assert imported(tmp_path / "a", files[1]).run_key != first.run_key


def test_images_that_are_not_there_cost_a_note(tmp_path: Path, files: tuple[Path, Path]) -> None:
    (files[1].parent / "pictures" / "square.png").unlink()
    report = imported(tmp_path / "cache", files[1])
    assert (report.samples, report.bad_rows) == (3, ())
    assert report.notes == ("images named in the file and not found: 1 of 3",)


def test_embeddings_of_different_lengths_cost_a_note(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    changed(files[1], lambda items: turn_of(items[0]).update(v_feature=[1.0]))
    report = imported(tmp_path / "cache", files[1])
    assert not report.has_features
    assert report.notes == ("no embeddings are kept: features_1 has different lengths (1, 3)",)
    part = queries.predictions(tmp_path / "cache", report.run_key, features=True)
    assert part.features_1 is None


def turn_of(item: dict[str, Any]) -> dict[str, Any]:
    return item["conversations"][1]


def without_masses(items: Items) -> None:
    for item in items:
        for name in ("v", "l", "vl"):
            del turn_of(item)[f"{name}_orig_prob"]


def changed(path: Path, change: Callable[[Items], object]) -> Items:
    items = json.loads(path.read_text("utf-8"))
    change(items)
    path.write_text(json.dumps(items), "utf-8")
    return items


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        (lambda turn: turn.update(vl_prob=[0.9, 0.2, 0.0]), "vl_prob", "it sums to 1.100"),
        (lambda turn: turn.update(v_prob=[50, 25, 25, 0]), "v_prob", "50 is no probability"),
        (lambda turn: turn.update(l_prob=[-1.2, -0.4, 0, 0]), "l_prob", "-1.2 is no probability"),
        (lambda turn: turn.update(l_prob=[float("nan"), 0, 0]), "l_prob", "nan is no probability"),
        (lambda turn: turn.update(l_prob="0.5"), "l_prob", "it is no list of numbers"),
        (lambda turn: turn.update(l_prob=[0.5, "x", 0.5]), "l_prob", "'x' is no number"),
        (lambda turn: turn.update(v_prob=[0.5, 0.5]), "v_prob", "2 numbers, and there are 3"),
        (lambda turn: turn.update(v_prob=[0.1, 0.1, 0.8, 0]), "v_prob", "neither uniform nor"),
        (lambda turn: turn.update(v_prob=[0.2, 0.2, 0.2, 0.4]), "v_prob", "0.400 to options"),
        (lambda turn: turn.update(v_orig_prob=[0.9, 0.4, 0, 0]), "v_orig_prob", "may not exceed 1"),
        (lambda turn: turn.pop("l_orig_prob"), "l_orig_prob", "it is missing"),
        (lambda turn: turn.update(label="D"), "label", "'D' is none of the 3 options"),
        (lambda turn: turn.pop("label"), "label", "the right answer is missing"),
        (lambda turn: turn.update(v_feature=["x"]), "v_feature", "no list of numbers"),
    ],
)
def test_a_bad_item_is_named_by_file_row_and_column(
    change: Callable[[dict[str, Any]], object], column: str, reason: str
) -> None:
    items = stage_2.items(dict.fromkeys(("circle", "square"), ""))
    layout = xiu26.layout_of(Row(file=Path("a.json"), number=1, values=items[0]))
    change(turn_of(items[2]))
    with pytest.raises(BadRow) as caught:
        xiu26.answer_of(Row(file=Path("a.json"), number=3, values=items[2]), layout)
    problem = caught.value.problem
    assert (problem.file, problem.row, problem.column) == ("a.json", 3, column)
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("said", "choice"),
    [
        ("A", 0),
        ("b", 1),
        (" C", 2),
        ("(B).", 1),
        ("The", -1),
        ("Answer: A", -1),
        ("", -1),
        ("D", -1),
    ],
)
def test_the_models_first_word_is_its_choice_whatever_is_likeliest(said: str, choice: int) -> None:
    item = stage_2.items(dict.fromkeys(("circle", "square"), ""))[2]  # 0.9 for C
    turn_of(item)["value"] = said
    row = Row(file=Path("a.json"), number=1, values=item)
    found = xiu26.answer_of(row, xiu26.layout_of(row))
    assert found.choices[Condition.FULL] == choice
    assert found.choices[Condition.ONLY_1] == 2


def test_nothing_is_kept_where_too_many_items_are_bad(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    changed(files[1], lambda items: turn_of(items[2]).update(label="D"))
    with pytest.raises(BenchmarkError, match="1 of 3 rows are bad, more than 5%"):
        imported(tmp_path / "cache", files[1])
    assert not (tmp_path / "cache" / "spool").exists()
    report = imported(tmp_path / "cache", files[1], max_bad_rows=0.5)
    assert (report.samples, report.bad_rows[0].row) == (2, 3)
    (run,) = queries.runs(tmp_path / "cache")
    assert run.environment["bad_rows"] == 1
    assert run.environment["first_bad_rows"] == [str(report.bad_rows[0])]


def test_the_input_of_stage_2_is_no_output_of_it(tmp_path: Path, files: tuple[Path, Path]) -> None:
    def undone(items: Items) -> None:
        for item in items:
            item["conversations"][1] = {"from": "gpt", "value": "A"}

    changed(files[1], undone)
    with pytest.raises(BenchmarkError, match="is this the input of Stage 2"):
        imported(tmp_path / "cache", files[1])


def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, files: tuple[Path, Path]) -> None:
    text = files[1].read_text("utf-8")
    files[1].write_text(text[: len(text) // 2], "utf-8")
    with pytest.raises(BenchmarkError, match=r"demo_3\.json is no JSON, record 2.*stopped"):
        imported(tmp_path / "cache", files[1])
