"""A lens that reads nothing before the last fifth of the layers is named, with what to do."""

import dataclasses
from pathlib import Path

from data_cache.estimates import SpectrumRecord
from data_cache.ingest import ingest
from data_cache.queries import RunRow, runs
from model_runners.lens_quality import lens_quality, remark
from tests.pages.caches import write_run
from tests.pages.spectra import record

DEPTH = 10


def layers(unread: int, depth: int = DEPTH, lens: str | None = None) -> list[SpectrumRecord]:
    """The first layers fall back in 95 % of the full runs, and masked ones in all of them."""
    settings = {"tau": 0.3} if lens is None else {"tau": 0.3, "lens": lens}
    return [
        record(
            layer=layer,
            model="org/model",
            fallback_rate={"full": 0.95 if layer < unread else 0.2, "only_1": 1.0},
            settings=settings,
        )
        for layer in range(depth)
    ]


def a_run(cache: Path, depth: int = DEPTH) -> RunRow:
    write_run(cache, "org/model")
    ingest(cache)
    (run,) = runs(cache)
    return dataclasses.replace(run, layers=(-1, *range(depth)))


def test_a_layer_before_the_last_fifth_is_enough() -> None:
    assert not lens_quality(layers(8), DEPTH).is_meaningful
    assert not lens_quality(layers(9), DEPTH).is_meaningful
    assert lens_quality(layers(7), DEPTH).is_meaningful
    assert lens_quality(layers(8), DEPTH).unread == tuple(range(8))
    assert lens_quality(layers(1, depth=1), 1).is_meaningful, "its one layer is the output"
    holed = [one for one in layers(8) if one.layer != 3]
    assert lens_quality(holed, DEPTH).is_meaningful, "nobody knows of a layer without a spectrum"


def test_the_remark_offers_a_tuned_lens_for_the_same_run(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    assert remark(layers(2), run, tmp_path) == ""
    assert remark([record(layer=-1, fallback_rate={"full": 1.0})], run, tmp_path) == ""
    asked = dataclasses.replace(run, config=run.config | {"mask_scope": "question"})
    said = remark(layers(8), asked, tmp_path)
    assert "The logit lens reads no answer in the first 80% of the layers of org/model" in said
    assert "model_runners lens --model org/model --benchmark digits_vqa" in said
    assert "--mask-scope question" in said
    assert f"--cache {tmp_path}" in said
    tuned = dataclasses.replace(run, config=run.config | {"lens": "1a2b3c4d"})
    through = remark(layers(8, lens="tuned 1a2b3c"), tuned, tmp_path)
    assert "The tuned lens reads no answer" in through
    assert "model_runners lens" not in through
