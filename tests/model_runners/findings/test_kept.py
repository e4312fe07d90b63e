"""Findings are measured once, and again when something that they rest on has changed."""

import json
from pathlib import Path

import pytest

from data_cache.derived import listed
from data_cache.queries import data_version
from model_runners.__main__ import main
from model_runners.findings import FINDINGS, measure, read_material
from model_runners.findings.kept import Held, read_held
from model_runners.findings.over_sizes import all_steps
from tests.pages.caches import build_cache
from tests.pages.many_models import models

SIZED = {"org/model-small": 1_000_000, "org/model-large": 3_000_000}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Six models, two of them sizes of one series, on a synergy-driven benchmark and another."""
    folder = tmp_path / "cache"
    rows = [
        *models(6, benchmark="mmbench"),
        *models(1, benchmark="mmbench", model="org/model-small", family="sized"),
        *models(1, benchmark="mmbench", model="org/model-large", family="sized", seed=1),
        *models(6, benchmark="pmc_vqa", lead="unique_2"),
    ]
    return build_cache(folder, rows, parameters=SIZED)


def read(cache: Path, **asked: object) -> tuple[Held, bool]:
    """Return what came out, and whether it was measured now."""
    told: list[int] = []
    held = read_held(cache, progress=lambda done, _total: told.append(done), **asked)  # pyright: ignore[reportArgumentType]
    return held, bool(told)


def test_what_is_kept_is_what_was_measured(cache: Path) -> None:
    material = read_material(cache)
    measured, steps = measure(material), tuple(all_steps(material))
    assert steps
    first, was_measured = read(cache)
    again, was_measured_again = read(cache)
    assert (was_measured, was_measured_again) == (True, False)
    for held in (first, again):
        assert repr(held.measured) == repr(measured)
        assert repr(held.steps) == repr(steps)
        assert repr(held.material) == repr(material)


def test_another_model_is_another_measurement(cache: Path) -> None:
    first, _ = read(cache)
    build_cache(cache, models(1, benchmark="mmbench", model="org/new", family="new", seed=5))
    second, was_measured = read(cache)
    assert was_measured
    assert [counted(one) for one in (first, second)] == [8, 9]
    assert len(listed(cache)) == 1  # the older one is gone


def counted(held: Held) -> int:
    parts = {finding.id: parts for finding, parts in held.measured}
    return parts["xiu26-1"][0].evidence.n


def test_questions_are_kept_apart(cache: Path) -> None:
    for asked in ({}, {"by_family": True}, {"benchmark": "mmbench"}):
        assert read(cache, **asked)[1]
    for asked in ({"benchmark": "mmbench"}, {"by_family": True}, {}):
        assert not read(cache, **asked)[1]


def test_a_finding_alone_is_judged_from_what_is_kept(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = data_version(cache)
    shown = []
    for only in ([], ["--only", "xiu26-2a"]):
        assert main(["findings", "--cache", str(cache), "--json", *only]) == 0
        shown.append(json.loads(capsys.readouterr().out))
    everything, one = (found["findings"] for found in shown)
    assert [row["id"] for row in everything] == [finding.id for finding in FINDINGS]
    (alone,) = one
    among = next(row for row in everything if row["id"] == "xiu26-2a")
    assert alone["parts"][0]["value"] == among["parts"][0]["value"]
    # Corrected over fewer statistics.
    assert alone["parts"][0]["p_corrected"] <= among["parts"][0]["p_corrected"]
    assert data_version(cache) == version
