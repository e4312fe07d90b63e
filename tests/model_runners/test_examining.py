"""A model that somebody brings: what is said of it, property by property, and a family file."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from data_cache import jobs
from model_runners.__main__ import main
from model_runners.errors import ModelNotFound
from model_runners.examine_job import outcome
from model_runners.examining import ExamineOptions, examine_model
from model_runners.families import Family, load_family
from model_runners.jobs import open_job, start
from model_runners.skeleton import family_of_files, skeleton
from model_runners.worker import perform
from tests.model_runners import zoo
from tests.model_runners.unwritten import UNWRITTEN


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a family that no file describes."""
    folder = tmp_path_factory.mktemp("brought") / "from-a-friend"
    return zoo.build("vipllava", folder, models=UNWRITTEN)


def read_back(text: str) -> Family:
    written: dict[str, Any] = {}
    exec(text, written)  # our own words
    return written["FAMILY"]


@pytest.mark.parametrize("model_type", ["llava_next", "qwen3_5", "paligemma", "instructblip"])
def test_a_skeleton_says_what_the_family_says(model_type: str) -> None:
    family = load_family(model_type)
    text = skeleton(family, notes=["a long note " * 30])
    assert read_back(text) == family
    assert max(map(len, text.split("FAMILY = ")[0].splitlines())) <= 100


def test_a_family_without_a_file_is_examined_and_gets_the_beginning_of_one(
    brought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["selftest", str(brought), "--device", "cpu", "--skeleton"]) == 0
    said = capsys.readouterr()
    assert "from-a-friend can be used" in said.err
    assert "recognised without a family file" in said.err
    assert '"vipllava": "model_runners.families.vipllava",' in said.err
    assert read_back(said.out) == Family(name="VipLlava", model_type="vipllava")


def test_a_model_that_is_blind_is_shown_property_by_property(
    brought: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its projector is one of zeros."""
    folder = tmp_path / "blind"
    shutil.copytree(brought, folder)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if "multi_modal_projector" in name:
            weight.zero_()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    assert main(["selftest", str(folder), "--device", "cpu"]) == 2
    lines = capsys.readouterr().out.splitlines()
    failing = [line for line in lines if line.startswith("FAILS")]
    assert any("unmasked, the image moves the output" in line for line in failing)
    assert any("look at: the vectors of a stream are all equal" in line for line in failing)
    assert sum(line.startswith("holds") for line in lines) > len(failing)
    assert "the image does not move the output at all" in lines[-1]


@pytest.mark.parametrize(
    ("model_type", "said", "parts"),
    [
        ("kosmos-2", "cannot be loaded", "24 of Kosmos2TextBlock"),
        ("llama", "reads text only", "32 of LlamaDecoderLayer"),
    ],
)
def test_a_config_that_is_in_no_table_is_refused_and_its_parts_are_named(
    model_type: str, said: str, parts: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    found = examine_model(ExamineOptions(model=str(tmp_path), device="cpu"))
    assert said in found["refusal"]
    assert found["self_test"] == {}
    if model_type != "llama":
        assert parts in found["skeleton"]
    assert read_back(found["skeleton"]).model_type == model_type


def test_parts_are_named_without_any_weights(built: Callable[[str], Path]) -> None:
    family, notes = family_of_files(built("idefics3"))
    assert family.model_type == "idefics3"
    assert notes == [
        "layers: model.text_model.layers, 3 of LlamaDecoderLayer",
        "layers: model.vision_model.encoder.layers, 2 of Idefics3EncoderLayer",
    ]


def test_examining_is_a_job_whose_refusal_is_a_result(brought: Path, tmp_path: Path) -> None:
    options = ExamineOptions(model=str(brought), device="cpu")
    job = open_job(tmp_path, options)
    assert open_job(tmp_path, options).job_key == job.job_key, "two clicks are one job"
    assert jobs.claim(tmp_path, job.job_key)
    ended = perform(tmp_path, jobs.find(tmp_path, job.job_key))
    assert ended.state == "done"
    assert ended.result["self_test"]["passed"]
    assert outcome(ended.result).endswith(
        "12 checks hold (VipLlava, recognised without a family file)"
    )
    with pytest.raises(ModelNotFound):
        start(tmp_path, ExamineOptions(model="no such model"))
