"""Checkpoints of a training are found wherever they lie, and each broken case is one sentence."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from data_cache.trajectories import trajectories, write_trajectory
from model_runners.checkpoints import find_trajectory
from model_runners.errors import BadTrajectory

STAGES = ["projector", "all"]
ENTRIES = [
    {"folder": "one", "stage": "projector", "step": 100},
    {"folder": "two", "stage": "all", "step": 200},
]


def model(folder: Path, kind: str = "llava") -> Path:
    """What is looked at of a model before it is loaded."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    return folder


def adapter(folder: Path, base: Path | str) -> Path:
    folder.mkdir(parents=True)
    config = {"base_model_name_or_path": str(base)}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def described(folder: Path, entries: Sequence[Any] = ENTRIES, **content: Any) -> Path:
    """A folder with trajectory.json and two models."""
    for name in ("one", "two"):
        model(folder / name)
    said = {"name": "lab/mine", "stages": STAGES, "checkpoints": entries} | content
    (folder / "trajectory.json").write_text(json.dumps(said))
    return folder


def points(*given: Path | str, **more: Any) -> list[tuple[str, int, str]]:
    found = find_trajectory(list(map(str, given)), **more)
    return [
        (one.checkpoint.stage, one.checkpoint.step, Path(one.location).name) for one in found.points
    ]


def refusal(*given: Path | str, **more: Any) -> str:
    with pytest.raises(BadTrajectory) as caught:
        find_trajectory(list(map(str, given)), **more)
    return str(caught.value)


def test_a_folder_says_its_checkpoints_in_a_file_and_the_cache_keeps_them(tmp_path: Path) -> None:
    folder = described(tmp_path / "a", list(reversed(ENTRIES)))
    found = find_trajectory([str(folder)])
    assert points(folder) == [("projector", 100, "one"), ("all", 200, "two")]
    assert (found.name, found.kind, found.stages) == ("lab/mine", "folder", ("projector", "all"))
    assert found.points[0].checkpoint.model == "lab/mine@projector-100"
    write_trajectory(tmp_path / "cache", found)
    (tmp_path / "cache" / "trajectories" / "broken.json").write_text("{}")
    assert trajectories(tmp_path / "cache") == [found]


def test_folders_of_the_trainer_are_one_stage_by_their_numbers(tmp_path: Path) -> None:
    for step in (1000, 200):
        model(tmp_path / "run" / f"checkpoint-{step}")
    assert points(tmp_path / "run") == [("", 200, "checkpoint-200"), ("", 1000, "checkpoint-1000")]
    assert find_trajectory([str(tmp_path / "run")]).name == "run"


def test_adapters_begin_with_their_base_as_step_0(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    folders = [adapter(tmp_path / f"lora-{step}", base) for step in (20, 10)]
    assert points(*folders) == [("", 0, "base"), ("", 10, "lora-10"), ("", 20, "lora-20")]
    assert find_trajectory(list(map(str, folders))).kind == "adapters"


def test_revisions_say_their_stages_and_steps() -> None:
    found = points("lab/m", revisions=["stage2-step300", "stage1-step-100", "stage1-step200"])
    assert [one[:2] for one in found] == [("stage1", 100), ("stage1", 200), ("stage2", 300)]
    assert found[0][2] == "m@stage1-step-100"
    assert points("lab/m", revisions=["step1000-tokens4B"])[0][:2] == ("", 1000)


@pytest.mark.parametrize(
    ("entries", "content", "says"),
    [
        (ENTRIES, {"checkpoints": 3}, "no list of checkpoints"),
        (ENTRIES, {"stages": "all"}, "must be a list of names"),
        ([], {}, "has no checkpoints"),
        ([{**ENTRIES[0], "step": "100"}], {}, "needs a step"),
        ([{**ENTRIES[0], "stage": "warmup"}], {}, "none of projector, all"),
        ([{"stage": "all", "step": 1}], {}, "name of its folder"),
        ([{**ENTRIES[0], "folder": "../x"}], {}, "lies outside"),
        ([{**ENTRIES[0], "folder": "three"}], {}, "is not there"),
        ([ENTRIES[0], {**ENTRIES[1], "step": 100}], {}, "must grow"),
        (ENTRIES, {"stages": ["all", "projector"]}, "by their steps they come as projector, all"),
        (ENTRIES, {"name": "a@b"}, "without an @"),
        (
            [*ENTRIES, {"folder": "one", "stage": "projector", "step": 300}],
            {"stages": None},
            "begins again",
        ),
    ],
)
def test_a_broken_file_is_one_sentence(
    tmp_path: Path, entries: Sequence[Any], content: dict[str, Any], says: str
) -> None:
    assert says in refusal(described(tmp_path / "a", entries, **content))


def test_broken_folders_are_one_sentence_each(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no training" in refusal(tmp_path / "empty")
    assert "there is no folder" in refusal(tmp_path / "nowhere")
    assert "revisions are needed" in refusal("lab/mine")
    assert "does not say its step" in refusal("lab/mine", revisions=["main"])
    assert "belong to one repository" in refusal(tmp_path, revisions=["step-1"])
    one, other = model(tmp_path / "m-1"), model(tmp_path / "m-2", "qwen2_5_vl")
    assert "of different models: m-1 is 'llava' and m-2 is 'qwen2_5_vl'" in refusal(one, other)
    assert "does not end in its step" in refusal(one, model(tmp_path / "m"))
    (one / "tokenizer_config.json").unlink()
    assert "has no processor" in refusal(one, model(tmp_path / "m-3"))
    (tmp_path / "m-3" / "model.safetensors").unlink()
    assert "no weights in safetensors" in refusal(tmp_path / "m-3", model(tmp_path / "m-4"))
    (tmp_path / "m-4" / "config.json").write_text("[]")
    assert "does not say which model" in refusal(tmp_path / "m-4", model(tmp_path / "m-5"))
    (tmp_path / "m-6").mkdir()
    assert "may have been stopped" in refusal(tmp_path / "m-5", tmp_path / "m-6")


def test_broken_adapters_are_one_sentence_each(tmp_path: Path) -> None:
    base = model(tmp_path / "base")
    lora = adapter(tmp_path / "a-1", base)
    other = adapter(tmp_path / "a-2", model(tmp_path / "other"))
    assert "of different bases" in refusal(lora, other)
    assert "some checkpoints" in refusal(lora, model(tmp_path / "a-3"))
    gone = [adapter(tmp_path / f"b-{step}", tmp_path / "gone") for step in (1, 2)]
    assert "the base of the adapters" in refusal(*gone)
