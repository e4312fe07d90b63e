"""Files of patched answers: whole or not at all, never computed twice, and not lost."""

from pathlib import Path

import numpy as np
import pytest

from data_cache.errors import CacheError
from data_cache.ingest import rebuild
from data_cache.location import run_directory
from data_cache.patch_effects import (
    FOLDER,
    fingerprint,
    missing_patches,
    patch_plan,
    write_patches,
)
from data_cache.patch_scores import patch_scores, pointwise_atoms
from data_cache.records import ATOMS
from tests.data_cache.answers import estimated
from tests.data_cache.patches import FULL, MASKED, patch_rows, write_block
from tests.data_cache.spools import small_benchmark

RUN = "0123456789abcdef"
IDS = ("s0", "s1", "s2")


def files(cache: Path) -> list[Path]:
    return sorted((run_directory(cache, RUN) / FOLDER).iterdir())


def test_what_is_written_is_read_as_arrays(tmp_path: Path) -> None:
    write_block(tmp_path, RUN, IDS, draws=2)
    write_block(tmp_path, RUN, ["s9"], index=1, draws=2)
    found = patch_scores(tmp_path, RUN)
    assert found is not None
    assert found.sample_ids == ("s0", "s1", "s2", "s9")
    assert found.layers == (2, 3)
    assert found.draws == 2
    assert np.exp(found.full[0]) == pytest.approx(np.array(FULL), abs=1e-6)
    assert np.exp(found.masked[3, 1]) == pytest.approx(np.array(MASKED), abs=1e-6)
    halfway = (np.array(FULL) + np.array(MASKED)) / 2
    assert np.exp(found.patched[1, 1, 0]) == pytest.approx(halfway, abs=1e-6)
    assert found.valid.all()
    chosen = found.chosen(["s9", "unknown", "s0"])
    assert chosen is not None
    assert chosen.sample_ids == ("s9", "s0")
    assert (chosen.patched[1] == found.patched[0]).all()
    assert found.chosen(["unknown"]) is None


def test_samples_of_fewer_options_keep_their_own_number(tmp_path: Path) -> None:
    rows = patch_rows(["s0", "s1"], layers=(3,), depth=4)
    for row in rows:
        row["scores"] = row["scores"][: 2 if row["sample_id"] == "s1" else 3]
    write_patches(tmp_path, patch_plan(RUN, 0, ["s0", "s1"], 1, (3,)), rows)
    found = patch_scores(tmp_path, RUN)
    assert found is not None
    assert found.valid.tolist() == [[True, True, True], [True, True, False]]
    assert np.isneginf(found.patched[1, 0, 0, 2])


def test_nothing_patched_is_nothing_and_the_fingerprint_says_so(tmp_path: Path) -> None:
    assert patch_scores(tmp_path, RUN) is None
    assert fingerprint(tmp_path, RUN) == ""
    write_block(tmp_path, RUN, IDS)
    before = fingerprint(tmp_path, RUN)
    write_block(tmp_path, RUN, IDS, layers=(1, 2, 3))
    assert "" != fingerprint(tmp_path, RUN) != before


def test_only_what_is_missing_is_computed_and_the_old_file_makes_way(tmp_path: Path) -> None:
    write_block(tmp_path, RUN, ["s0", "s1"])
    covered = patch_plan(RUN, 0, ["s0"], 1, [3])
    assert missing_patches(tmp_path, covered) is None
    lacking = missing_patches(tmp_path, patch_plan(RUN, 0, IDS, 1, [2, 3]))
    assert lacking is not None
    assert lacking.compute == ("s2",)
    rows = patch_rows(lacking.compute, layers=(2, 3), depth=4)
    path = write_patches(tmp_path, lacking.plan, rows, *lacking.kept)
    assert files(tmp_path) == [path]
    together = path.read_bytes()
    path.unlink()
    assert write_block(tmp_path, RUN, IDS).read_bytes() == together


def test_more_layers_or_draws_are_computed_for_all_and_keep_what_there_was(tmp_path: Path) -> None:
    write_block(tmp_path, RUN, IDS, layers=(0, 1, 2, 3))
    lacking = missing_patches(tmp_path, patch_plan(RUN, 0, ["s0"], 2, [3]))
    assert lacking is not None
    assert lacking.plan.layers == (0, 1, 2, 3)
    assert lacking.compute == lacking.plan.sample_ids == IDS
    assert lacking.kept == ()


def test_samples_with_other_layers_stand_side_by_side(tmp_path: Path) -> None:
    """A quick look at all layers of a few, and the last ones of the rest."""
    write_block(tmp_path, RUN, ["s0"], layers=(0, 1, 2, 3))
    write_block(tmp_path, RUN, ["s2"], index=1, layers=(3,))
    found = patch_scores(tmp_path, RUN)
    assert found is not None
    assert found.layers == (0, 1, 2, 3)
    assert np.isnan(found.patched[:, :, 0, 0]).tolist() == [[False] * 4, [True] * 3 + [False]]


def test_rows_that_are_not_those_of_the_plan_are_refused(tmp_path: Path) -> None:
    rows = patch_rows(IDS, layers=(2, 3), depth=4)
    plan = patch_plan(RUN, 0, IDS, 1, (2, 3))
    for wrong in (rows[:-1], [*rows, rows[-1]]):
        with pytest.raises(CacheError, match="nothing was written"):
            write_patches(tmp_path, plan, wrong)
    assert not (run_directory(tmp_path, RUN) / FOLDER).exists()


def test_half_a_file_or_a_damaged_one_is_computed_again_and_named_until_then(
    tmp_path: Path,
) -> None:
    path = write_block(tmp_path, RUN, IDS)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    lacking = missing_patches(tmp_path, patch_plan(RUN, 0, IDS, 1, (2, 3)))
    assert lacking is not None
    assert lacking.compute == IDS
    assert patch_scores(tmp_path, RUN) is None
    path.write_bytes(whole[:8] + bytes(200) + whole[208:])
    with pytest.raises(CacheError, match=path.name):
        patch_scores(tmp_path, RUN)
    lacking = missing_patches(tmp_path, patch_plan(RUN, 0, IDS, 1, (2, 3)))
    assert lacking is not None
    assert write_block(tmp_path, RUN, lacking.compute).read_bytes() == whole


def test_a_rebuild_of_the_database_loses_nothing_and_reads_nothing_of_it(tmp_path: Path) -> None:
    record = estimated(tmp_path, small_benchmark(12))
    path = write_block(tmp_path, record.run_key, ["s0000", "s0001"])
    report = rebuild(tmp_path)
    assert report.quarantined == report.skipped == ()
    assert path.is_file()
    assert patch_scores(tmp_path, record.run_key) is not None


def test_the_atoms_of_samples_come_with_their_groups_in_the_benchmarks_order(
    tmp_path: Path,
) -> None:
    benchmark = small_benchmark(12)
    ids = [sample.id for sample in benchmark.samples]
    numbers = {atom: [place + i / 100 for i in range(12)] for place, atom in enumerate(ATOMS)}
    record = estimated(tmp_path, benchmark, ids=ids, numbers=numbers)
    found = pointwise_atoms(tmp_path, record.estimate_key)
    assert list(found.sample_ids) == ids
    assert list(found.group_ids) == [sample.group_id for sample in benchmark.samples]
    assert found.synergy[5] == pytest.approx(3.05)
    assert found.unique_1[7] == pytest.approx(1.07)
