"""A model in another process gives a run like any other, also when the process dies on the way."""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data_cache import queries
from data_cache.conditions import Condition
from data_cache.samples import Benchmark
from model_runners.asking import Asking
from model_runners.bad_samples import BadSamples
from model_runners.errors import BadOption, ModelNotFound, UnsupportedModel
from model_runners.external.run import refuse_options
from model_runners.external.spec import spec_of
from model_runners.external.tasks import described
from model_runners.loading import load
from model_runners.profile import ProfileOptions, Progress, profile
from model_runners.registry import OWN_FILE, with_models_of
from model_runners.requests import options_of, request_of
from tests.model_runners.external.models import REPOSITORIES

DIES_ONCE = """
import os
from pathlib import Path
from pidscope_worker.cambrian import Adapter as Cambrian

class Adapter(Cambrian):
    def states(self, merged, watch=None):
        mark = Path(__file__).with_suffix(".died")
        if len(merged.embeddings) > 8 and not mark.exists():
            mark.touch()
            os._exit(9)
        return super().states(merged, watch)
"""


def options(folder: Path, **changes: object) -> ProfileOptions:
    given: dict[str, object] = {
        "model": str(folder), "benchmark": "digits_vqa", "limit": 66, "draws": 1, "device": "cpu",
        "batch_size": 32, "worker": sys.executable, "worker_adapter": "cambrian",
        "worker_code": str(REPOSITORIES),
    } | changes  # fmt: skip
    return ProfileOptions(**given)  # pyright: ignore[reportArgumentType]


@pytest.mark.slow  # starts anew again and again: 20 s
def test_a_run_survives_the_death_of_its_worker(
    fork: Callable[[str], Path], few: Benchmark, tmp_path: Path
) -> None:
    adapter = tmp_path / "dying.py"
    adapter.write_text(DIES_ONCE)
    asked = options(fork("cambrian"), worker_adapter=str(adapter), layers=True)
    told: list[str] = []
    report = profile(asked, tmp_path / "cache", benchmark=few, progress=Progress(tell=told.append))
    assert ["exit code 9" in sentence for sentence in told] == [True]
    assert (report.samples, report.computed, report.bad_samples) == (66, 66, ())
    assert report.self_test.passed
    found = queries.predictions(tmp_path / "cache", report.run_key)
    assert len(found.sample_ids) == 66
    assert found.scores[Condition.ONLY_1].shape[1] == 1
    blind, full = found.scores[Condition.ONLY_2], found.scores[Condition.FULL]
    assert not np.allclose(blind[:, 0], full[:, 0], atol=1e-3)
    (run,) = queries.runs(tmp_path / "cache")
    assert run.config["worker"]["adapter"].startswith("dying.py:")
    assert run.config["quantisation"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"worker": "/no/such/python"}, "is no program"),
        ({"worker_adapter": None}, "give --worker-adapter, one of cambrian, vita, llava"),
        ({"worker_adapter": "blip"}, "there is no adapter 'blip'"),
        ({"worker_code": "/no/such/folder"}, "is no folder"),
        ({"worker": None}, "without an environment to run it in"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(
    fork: Callable[[str], Path], change: dict[str, object], says: str
) -> None:
    with pytest.raises(BadOption, match=says):
        spec_of(options(fork("cambrian"), **change))


def test_a_hub_id_is_to_be_brought_here_first(fork: Callable[[str], Path]) -> None:
    with pytest.raises(ModelNotFound, match="hf download owner/model --local-dir"):
        spec_of(options(Path("owner/model")))


@pytest.mark.parametrize(
    "change", [{"answers": "options"}, {"layer_features": True}, {"lens": "tuned"}]
)
def test_what_no_worker_does_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(BadOption, match="a model in a worker of its own is run without"):
        refuse_options(options(Path("x"), **change))


def test_questions_about_several_images_are_left_out_or_refused_with_the_reason(
    fork: Callable[[str], Path], few: Benchmark, tmp_path: Path
) -> None:
    first, second, third = few.samples[:3]
    both = dataclasses.replace(third, images=(*first.images, *second.images))
    with pytest.raises(BadOption, match=r"none of the 1 samples .* it has 2 images, and a model"):
        profile(
            options(fork("cambrian")),
            tmp_path / "cache",
            benchmark=dataclasses.replace(few, samples=(both,)),
        )
    bad = BadSamples()
    told = described((first, both, second), tmp_path / "images", Asking(), bad)
    assert [one["id"] for one in told] == [first.id, second.id]
    assert bad.reasons == {
        third.id: "it has 2 images, and a model in a worker of its own takes one"
    }


def test_a_models_entry_can_name_its_worker(fork: Callable[[str], Path], tmp_path: Path) -> None:
    folder = fork("cambrian")
    (tmp_path / OWN_FILE).write_text(
        f"mine:\n  load_id: {folder}\n  worker: {sys.executable}\n"
        f"  worker_adapter: cambrian:vicuna_v1\n  worker_code: {REPOSITORIES}\n"
    )
    with with_models_of(tmp_path):
        spec = spec_of(ProfileOptions(model="mine", benchmark="digits_vqa"))
        assert spec is not None
        assert (spec.name, spec.adapter, spec.conversation) == ("mine", "cambrian", "vicuna_v1")
        assert spec.python == Path(sys.executable), "a link to python is another environment"
        with pytest.raises(UnsupportedModel, match="runs in a worker of its own"):
            load("mine", device="cpu")


def test_a_job_keeps_its_worker_and_others_keep_their_keys(fork: Callable[[str], Path]) -> None:
    asked = options(fork("cambrian"))
    assert options_of(request_of(asked)) == asked
    usual = request_of(ProfileOptions(model="demo/oracle", benchmark="digits_vqa"))
    assert not [name for name in usual if name.startswith("worker")]
