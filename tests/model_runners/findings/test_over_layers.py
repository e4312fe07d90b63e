"""Findings about depth, on a stored course of three phases."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data_cache.conditions import Condition
from data_cache.estimates import ATOMS, SCORES, save_all
from data_cache.records import INFLUENCES
from model_runners.__main__ import main
from model_runners.findings import find, read_material
from model_runners.findings.over_layers import depths
from tests.data_cache.spools import profile, small_benchmark, spectrum
from tests.pid_core.test_phases import course

COUNT = 16


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model of 28 layers: silent, then unique language, then synergy in the last ones."""
    folder = tmp_path_factory.mktemp("layers")
    benchmark = small_benchmark(COUNT)
    key = profile(
        folder,
        benchmark,
        model="org/deep",
        layers=(-1, *range(28)),
        draws=1,
        conditions=[Condition.FULL],
    )
    ids = [sample.id for sample in benchmark.samples]
    generator = np.random.default_rng(0)
    spread = 0.02 * generator.normal(size=(COUNT, 1))
    pairs = []
    atoms = course()
    for layer, values in [(-1, atoms[-1]), *enumerate(atoms)]:
        record = spectrum(
            key,
            layer=layer,
            model="org/deep",
            benchmark=benchmark.name,
            n=COUNT,
            total=float(values.sum()),
            **dict(zip(ATOMS, values.tolist(), strict=True)),
        )
        added = values + spread + 0.02 * generator.normal(size=(COUNT, 4))
        columns = {name: added[:, place] for place, name in enumerate(ATOMS)}
        columns |= {name: added[:, place] for place, name in enumerate(INFLUENCES)}
        columns |= {name: np.full(COUNT, 0.5) for name in SCORES}
        pairs.append((record, pa.table({"sample_id": ids} | columns)))
    save_all(folder, pairs)
    return folder


def test_layers_are_read_where_none_is_missing(cache: Path) -> None:
    material = read_material(cache)
    found = depths(material)
    assert [(one.model, len(one.layers)) for one in found] == [("org/deep", 28)]
    deeper = [replace(run, layers=(*run.layers, 28)) for run in material.runs]
    assert depths(replace(material, runs=tuple(deeper), kept={})) == []


def test_the_course_of_one_model_is_one_of_one(cache: Path) -> None:
    found = {
        one.finding.id: one
        for one in find(
            read_material(cache), only=["mi26-phases", "mi26-late", "xiu26-5a", "xiu26-5b"]
        )
    }
    for name in ("mi26-phases", "mi26-late", "xiu26-5a"):
        part = found[name].parts[0].part
        assert (part.evidence.value, part.evidence.n) == (100.0, 1), name
        assert found[name].verdict == "not enough data", "one model says nothing of most"
    last = found["xiu26-5b"].parts[0].part
    atoms = course()
    assert last.evidence.value == pytest.approx(atoms[-1, 3] - atoms[-2, 3])
    assert last.evidence.n == COUNT
    assert found["xiu26-5b"].verdict == "supported"


def test_the_command_prints_phases_with_intervals(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", "--cache", str(cache), "--resamples", "20"]) == 0
    text = capsys.readouterr().out
    assert "org/deep, all, 28 layers: three phases, drawn alike" in text
    assert "S 86 %" in text
    assert main(["layers", "--cache", str(cache), "--model", "org/other"]) == 0
    assert "no model has a spectrum of every layer" in capsys.readouterr().out
    assert main(["layers", "--cache", str(cache), "--resamples", "-1"]) == 2
