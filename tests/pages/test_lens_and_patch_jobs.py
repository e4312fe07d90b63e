"""Lenses, layers and the causal check are asked for on the pages, and their jobs lead back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from data_cache import jobs
from data_cache.lenses import LensRecord, header_of, lens_key, write_lens
from data_cache.queries import runs
from data_cache.shipped import load_demo
from model_runners.jobs import cancel, open_job
from model_runners.lens_options import LensOptions
from model_runners.patch_run import PatchOptions
from model_runners.profile import ProfileOptions
from tests.pages.test_layers import open_layers
from tests.pages.test_run import badges, labels, open_run, stop_all
from tests.pages.test_spectra import words

MODEL = "demo/language-small"
"""A shipped model whose layers are not."""
ASKED = ProfileOptions(model=MODEL, benchmark="digits_vqa", mask_scope="question")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a cache that does not exist yet; whatever runs in it at the end is stopped."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("PIDSCOPE_CACHE", str(folder))
    yield folder
    stop_all(folder)


def store_lens(cache: Path, mask_scope: str = "all", seed: int = 0) -> str:
    """A lens of the model; its maps are of no model at all."""
    recipe, settings = {"mask_scope": mask_scope}, {"seed": seed}
    one = LensRecord(
        key=lens_key(recipe, settings), model=MODEL, benchmark="digits_vqa", recipe=recipe,
        settings=settings, fits=[], learned=15, held_out=5, environment={},
        created=f"2026-11-2{seed}T00:00:00+00:00",
    )  # fmt: skip
    maps = {"matrices": np.ones((1, 2, 2), np.float32), "biases": np.zeros((1, 2), np.float32)}
    write_lens(cache, one, save(maps, header_of(one)))
    return one.key


def finished(cache: Path, options: LensOptions | PatchOptions, **result: object) -> str:
    """A job that was done, with what it found."""
    key = open_job(cache, options).job_key
    assert jobs.claim(cache, key)
    jobs.finish(cache, key, "done", result=result, message="all of it")
    return key


def test_a_lens_is_chosen_where_there_is_one_and_trained_where_there_is_none(cache: Path) -> None:
    app = open_run()
    app.selectbox(key="run_model").set_value(MODEL).run()
    assert "run_lens" not in {one.key for one in app.selectbox}, "the output is read through none"
    app.selectbox(key="run_layers").set_value("every layer").run()
    assert app.selectbox(key="run_lens").value == "logit"
    app.selectbox(key="run_lens").set_value("tuned").run()
    assert f"There is no tuned lens for {MODEL} on digits_vqa" in words(app)
    assert "Train a tuned lens" in labels(app)
    assert "Start" not in labels(app)
    store_lens(cache, mask_scope="question")
    assert "Train a tuned lens" in labels(app.run()), "that one is masked otherwise"
    older, newer = store_lens(cache, seed=1), store_lens(cache, seed=2)
    app.run()
    offered = app.selectbox(key="run_lens").options
    assert ["logit" in offered[0], newer[:6] in offered[1], older[:6] in offered[2]] == [True] * 3
    app.button(key="start").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    assert (row.request["lens"], row.request["layers"]) == ("tuned", True)


def test_a_finished_lens_leads_to_the_run_that_reads_through_it(cache: Path) -> None:
    lens = store_lens(cache, mask_scope="question")
    key = finished(cache, LensOptions(asked=ASKED), lens=lens, model=MODEL)
    app = open_run()
    assert "tuned lens" in badges(app)
    assert f"tuned lens for {MODEL} on digits_vqa (first 1024 of the train split" in words(app)
    app.button(key=f"read_through_{key}").click().run()
    assert not app.exception
    shown = {name: app.selectbox(key=name).value for name in ("run_model", "run_layers")}
    assert shown == {"run_model": MODEL, "run_layers": "every layer"}
    assert app.selectbox(key="run_mask_scope").value == "question"
    assert app.selectbox(key="run_lens").value == "tuned", "it is the newest"


def test_layers_are_read_on_the_samples_of_the_run_and_a_check_leads_back_to_them(
    cache: Path,
) -> None:
    load_demo(cache, zoo=False)
    run = next(one for one in runs(cache) if one.model == MODEL)
    app = open_layers(models=MODEL)
    app.button(key=f"layers_{run.run_key}").click().run()
    assert not app.exception
    (row,) = jobs.jobs(cache)
    cancel(cache, row.job_key, now=True)
    asked = {name: row.request[name] for name in ("model", "layers", "split", "limit", "draws")}
    assert asked == {
        "model": MODEL, "layers": True, "split": "test", "limit": None, "draws": run.draws
    }  # fmt: skip
    assert "Watch or stop it on Run" in words(app) or "Read its layers" in labels(app.run())
    found = {"run_key": run.run_key, "model": MODEL, "benchmark": "digits_vqa"}
    patched = PatchOptions(model=MODEL, benchmark="digits_vqa", run_key=run.run_key)
    key = finished(cache, patched, **found)
    app = open_run()
    assert "causal check" in badges(app)
    assert f"show_layers_{key}" in {one.key for one in app.button}
    assert f"show_spectra_{key}" not in {one.key for one in app.button}
