import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_cache.chunks import ChunkPlan, covering_chunk, read_chunk, validate_chunk, write_chunk
from data_cache.conditions import PROBED, Condition
from data_cache.errors import CacheError, ChunkInvalid, SchemaTooNew
from tests.data_cache.spools import rows_of, score_of

HOSTILE = (
    'it\'s "quoted"; DROP TABLE runs; --',
    "naïve ☃ 漢字",
    "a/../b",
    " ",
    "line\nbreak",
    "%s{}",
)


def plan_of(*ids: str, **more) -> ChunkPlan:
    fields = {"run_key": "run", "index": 3, "sample_ids": ids or ("a", "b"), "draws": 2}
    return ChunkPlan(**{**fields, **more})


def write(tmp_path: Path, plan: ChunkPlan, rows: pa.Table | None = None) -> Path:
    return write_chunk(tmp_path / plan.run_key, plan, rows_of(plan) if rows is None else rows)


def changed(plan: ChunkPlan, column: str, values: list) -> pa.Table:
    rows = rows_of(plan)
    index = rows.schema.get_field_index(column)
    return rows.set_column(index, column, pa.array(values, rows.schema.field(column).type))


class TestWriting:
    def test_a_chunk_reads_back_as_it_was_written(self, tmp_path):
        plan = plan_of(layers=(-1, 0))
        chunk = read_chunk(write(tmp_path, plan))
        assert chunk.plan == plan
        assert len(chunk.table) == plan.rows == 2 * 2 * (1 + 3 * 2 + 1)
        row = chunk.table.to_pylist()[0]
        assert (row["sample_id"], row["condition"], row["draw"], row["layer"]) == (
            "a",
            "full",
            0,
            -1,
        )
        assert row["scores"] == pytest.approx(score_of("a", Condition.FULL, 0, -1, 4), abs=1e-6)

    def test_the_same_rows_in_any_order_give_the_same_bytes_and_name(self, tmp_path):
        plan = plan_of("a", "b", "c")
        rows = rows_of(plan)
        shuffled = rows.take(np.random.default_rng(0).permutation(len(rows)))
        turned = plan_of("c", "a", "b", conditions=tuple(reversed(PROBED)))
        one, two = write(tmp_path / "1", plan, rows), write(tmp_path / "2", turned, shuffled)
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()

    def test_bytes_are_the_same_in_another_process(self, tmp_path):
        path = write(tmp_path, plan_of())
        script = (
            "import sys; from pathlib import Path\n"
            "from tests.data_cache.test_chunks import plan_of, write\n"
            "write(Path(sys.argv[1]), plan_of())"
        )
        environment = {**os.environ, "PYTHONHASHSEED": "7"}
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "other")], check=True, env=environment
        )
        assert (tmp_path / "other" / "run" / path.name).read_bytes() == path.read_bytes()

    def test_the_name_tells_what_a_chunk_holds(self):
        names = {
            plan_of().name,
            plan_of("a", "c").name,
            plan_of(draws=3).name,
            plan_of(layers=(-1, 0)).name,
            plan_of(conditions=(Condition.FULL,)).name,
            plan_of(index=4).name,
        }
        assert len(names) == 6
        assert plan_of().name.startswith("00003-")

    def test_hostile_sample_ids_survive(self, tmp_path):
        chunk = read_chunk(write(tmp_path, plan_of(*HOSTILE)))
        assert set(chunk.table["sample_id"].to_pylist()) == set(HOSTILE)

    def test_absent_optional_columns_are_empty(self, tmp_path):
        plan = plan_of()
        rows = rows_of(plan).drop_columns(
            ["text_tokens", "image_tokens", "features_1", "features_2"]
        )
        assert read_chunk(write(tmp_path, plan, rows)).table["features_1"].null_count == plan.rows

    def test_a_full_disk_leaves_nothing_behind_and_one_sentence(self, tmp_path):
        # The limit on file size makes the kernel refuse the write, as a full disk does.
        script = (
            "import resource, sys; from pathlib import Path\n"
            "from data_cache.errors import CacheError\n"
            "from tests.data_cache.test_chunks import plan_of, write\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "try:\n    write(Path(sys.argv[1]), plan_of())\n"
            "except CacheError as error:\n    sys.stdout.write(str(error))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        assert "could not be written" in done.stdout
        assert "free some space" in done.stdout
        assert len(done.stdout.splitlines()) == 1
        assert list((tmp_path / "run").iterdir()) == []

    def test_a_chunk_goes_only_into_the_folder_of_its_run(self, tmp_path):
        with pytest.raises(CacheError, match="not the folder of run"):
            write_chunk(tmp_path / "other", plan_of(), rows_of(plan_of()))


def test_a_plan_refuses_what_no_chunk_can_be():
    for bad, reason in (
        ({"sample_ids": ()}, "0 samples"),
        ({"sample_ids": tuple(map(str, range(65)))}, "65 samples"),
        ({"sample_ids": ("a", "a")}, "twice"),
        ({"sample_ids": ("a\0",)}, "NUL"),
        ({"sample_ids": ("\ud800",)}, "half a character"),
        ({"draws": 0}, "0 draws"),
        ({"layers": ()}, "layers"),
        ({"layers": (1, 1)}, "layers"),
        ({"conditions": ()}, "conditions"),
        ({"conditions": ("full", "sideways")}, "sideways"),
    ):
        with pytest.raises(ChunkInvalid, match=reason):
            plan_of(**bad)


class TestValidation:
    """Each rule is broken in a row that would otherwise be good, and nothing is written."""

    def refused(self, tmp_path, rows, match, plan=None):
        with pytest.raises(ChunkInvalid, match=match):
            write(tmp_path, plan or plan_of(), rows)
        assert not (tmp_path / "run").exists()

    def test_missing_and_extra_rows(self, tmp_path):
        rows = rows_of(plan_of())
        self.refused(tmp_path, rows.slice(1), "15 rows, its plan asks for 16")
        self.refused(tmp_path, pa.concat_tables([rows, rows.slice(0, 1)]), "17 rows")

    def test_a_repeated_key(self, tmp_path):
        rows = rows_of(plan_of())
        twice = pa.concat_tables([rows.slice(0, len(rows) - 1), rows.slice(0, 1)])
        self.refused(tmp_path, twice, "the key of an earlier row.*'sample_id': 'a'")

    def test_a_sample_condition_layer_or_draw_that_was_not_planned(self, tmp_path):
        count = plan_of().rows
        for column, value in (
            ("sample_id", "stranger"),
            ("condition", "sideways"),
            ("layer", 7),
            ("draw", 5),
            ("draw", -1),
        ):
            values = rows_of(plan_of())[column].to_pylist()
            values[count - 1] = value
            self.refused(
                tmp_path, changed(plan_of(), column, values), "that its plan|outside its plan"
            )

    @pytest.mark.parametrize(
        ("scores", "match"),
        [
            ([float("nan"), -1.0, -2.0, -3.0], "not a finite number"),
            ([float("-inf"), -1.0, -2.0, -3.0], "not a finite number"),
            ([0.1, -9.0, -9.0, -9.0], "log-likelihood above 0"),
            ([-0.5, -0.5, -0.5, -0.5], "probability above 1 in all"),
            ([-1.0], "fewer than two candidates"),
            ([-1.0, -2.0], "another number of candidates"),
            (None, "empty values in scores"),
        ],
    )
    def test_scores_that_are_no_log_likelihoods(self, tmp_path, scores, match):
        values = rows_of(plan_of())["scores"].to_pylist()
        values[3] = scores
        self.refused(tmp_path, changed(plan_of(), "scores", values), match)

    def test_mass_is_not_bounded_where_scores_are_normalised_by_length(self, tmp_path):
        plan = plan_of(single_token=False)
        values = rows_of(plan)["scores"].to_pylist()
        values[3] = [-0.5] * 4
        chunk = read_chunk(write(tmp_path, plan, changed(plan, "scores", values)))
        assert not chunk.plan.single_token

    def test_a_strict_choice_outside_the_candidates(self, tmp_path):
        for bad in (4, -2):
            values = [0] * 15 + [bad]
            self.refused(tmp_path, changed(plan_of(), "strict_choice", values), "strict choice")

    def test_features_where_they_do_not_belong_or_of_two_lengths(self, tmp_path):
        rows = rows_of(plan_of())
        values = rows["features_1"].to_pylist()
        self.refused(
            tmp_path,
            changed(plan_of(), "features_1", [None, [1.0], *values[2:]]),
            "full output only",
        )
        own = [i for i, value in enumerate(values) if value]
        values[own[0]] = [1.0]
        self.refused(tmp_path, changed(plan_of(), "features_1", values), "different lengths")
        values[own[0]] = [1.0, float("nan"), 0.0]
        self.refused(tmp_path, changed(plan_of(), "features_1", values), "not finite")

    def test_columns_of_other_names_or_types(self, tmp_path):
        rows = rows_of(plan_of())
        self.refused(tmp_path, rows.rename_columns({"scores": "logits"}), "logits")
        text = rows.set_column(2, "draw", pa.array(["x"] * len(rows)))
        self.refused(tmp_path, text, "wrong type")


class TestReading:
    def test_expected_samples_are_compared(self, tmp_path):
        path = write(tmp_path, plan_of())
        validate_chunk(path, expected_ids={"a", "b"})
        with pytest.raises(ChunkInvalid, match="first 'c'"):
            validate_chunk(path, expected_ids={"a", "b", "c"})

    def test_truncated_flipped_foreign_and_renamed_files_are_named(self, tmp_path):
        path = write(tmp_path, plan_of())
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(ChunkInvalid, match=path.name):
            validate_chunk(path)
        path.write_bytes(b"PAR1 not at all")
        with pytest.raises(ChunkInvalid, match="no readable Parquet"):
            validate_chunk(path)
        pq.write_table(pa.table({"a": [1]}), path)
        with pytest.raises(ChunkInvalid, match="without PIDscope's metadata"):
            validate_chunk(path)
        path.write_bytes(content)
        validate_chunk(path)
        renamed = path.rename(path.with_name("00003-000000000000.parquet"))
        with pytest.raises(ChunkInvalid, match="renamed"):
            validate_chunk(renamed)

    def test_what_the_system_refuses_to_read_is_not_called_a_bad_chunk(self, tmp_path):
        with pytest.raises(CacheError, match="cannot be read now") as caught:
            read_chunk(tmp_path / "run" / plan_of().name)
        assert not isinstance(caught.value, ChunkInvalid)

    def test_a_chunk_of_another_run_is_refused(self, tmp_path):
        path = write(tmp_path, plan_of())
        (tmp_path / "thief").mkdir()
        with pytest.raises(ChunkInvalid, match="belongs to run run"):
            validate_chunk(path.rename(tmp_path / "thief" / path.name))

    def test_a_chunk_from_a_newer_schema_is_refused_as_such(self, tmp_path):
        with pytest.raises(SchemaTooNew, match=r"schema 7, this one reads 4.*upgrade"):
            validate_chunk(from_the_future(write(tmp_path, plan_of())))


def from_the_future(path: Path) -> Path:
    table = pq.read_table(path)
    written = table.schema.metadata[b"pidscope"]
    text = re.sub(rb'"schema_version":\d', b'"schema_version":7', written)
    pq.write_table(table.replace_schema_metadata({b"pidscope": text}), path)
    return path


class TestCovering:
    def test_nothing_covers_before_anything_is_written(self, tmp_path):
        assert covering_chunk(tmp_path / "run", 3, ["a"], 1, [-1]) is None

    def test_a_chunk_covers_any_part_of_itself_and_nothing_more(self, tmp_path):
        path = write(tmp_path, plan_of(layers=(-1, 0)))
        folder = tmp_path / "run"
        assert covering_chunk(folder, 3, ["a"], 1, [-1]) == path
        assert covering_chunk(folder, 3, ["b", "a"], 2, [0, -1], PROBED) == path
        assert covering_chunk(folder, 3, ["a", "c"], 1, [-1]) is None
        assert covering_chunk(folder, 3, ["a"], 3, [-1]) is None
        assert covering_chunk(folder, 3, ["a"], 1, [-1, 1]) is None
        assert covering_chunk(folder, 4, ["a"], 1, [-1]) is None

    def test_missing_conditions_count_where_they_are_asked_for(self, tmp_path):
        path = write(tmp_path, plan_of(conditions=(Condition.FULL, Condition.ONLY_1)))
        folder = tmp_path / "run"
        assert covering_chunk(folder, 3, ["a"], 1, [-1]) == path
        assert covering_chunk(folder, 3, ["a"], 1, [-1], [Condition.NEITHER]) is None

    def test_a_damaged_or_unfinished_file_covers_nothing(self, tmp_path):
        path = write(tmp_path, plan_of())
        path.with_name(f".{path.name}.1-ab.tmp").write_bytes(path.read_bytes())
        path.write_bytes(b"")
        assert covering_chunk(tmp_path / "run", 3, ["a"], 1, [-1]) is None
