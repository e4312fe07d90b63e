"""Two stages: what is frozen stays, both lines begin alike, checkpoints are a trajectory."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model_runners.checkpoints import find_trajectory
from model_runners.demo import zoo
from model_runners.demo.stages import Course, train_member
from model_runners.demo.tiny_llava import TinyLlava
from model_runners.demo.zoo import Member
from model_runners.loading import load, weights_fingerprint

SHORT = Course(tower_steps=2, language_steps=2, projector_steps=4, all_steps=4, batch=8)
TOLD = list[tuple[str, int, int]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TOLD]:
    folder = tmp_path_factory.mktemp("zoo")
    told: TOLD = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.SIZES, "small", {"hidden": 16, "heads": 2, "language_layers": 1})
        patch.setitem(zoo.ARCHITECTURES, "llava", TinyLlava(phrases=True, patch=16))
        for line in zoo.LINES:
            member = Member(line=line, architecture="llava", size="small")
            train_member(
                member,
                folder / "final" / line,
                checkpoints=folder,
                course=SHORT,
                report=lambda stage, step, steps, _loss: told.append((stage, step, steps)),
            )
    return folder, told


def test_a_pair_can_take_more_steps_of_the_second_stage(
    trained: tuple[Path, TOLD], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(zoo.SIZES, "small", {"hidden": 16, "heads": 2, "language_layers": 1})
    monkeypatch.setitem(zoo.ARCHITECTURES, "llava", TinyLlava(phrases=True, patch=16))
    monkeypatch.setitem(zoo.LONGER, "llava-small", 2)
    shutil.copytree(trained[0] / "starts", tmp_path / "starts")
    member = Member(line="language", architecture="llava", size="small")
    train_member(member, tmp_path / "final", checkpoints=tmp_path, course=SHORT)
    found = find_trajectory([str(tmp_path / member.name)])
    assert [point.checkpoint.step for point in found.points] == [1, 2, 3, 4, 6, 8, 10, 12]


def weights(folder: Path) -> Mapping[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def test_four_checkpoints_of_each_stage_are_a_trajectory(trained: tuple[Path, TOLD]) -> None:
    folder, _ = trained
    found = find_trajectory([str(folder / "fusion-llava-small")])
    assert found.name == "demo/fusion-llava-small"
    assert found.stages == ("projector", "all")
    assert [point.checkpoint.step for point in found.points] == list(range(1, 9))
    assert [point.checkpoint.stage for point in found.points] == ["projector"] * 4 + ["all"] * 4


def test_the_last_checkpoint_is_the_model(trained: tuple[Path, TOLD]) -> None:
    folder, _ = trained
    last = folder / "fusion-llava-small" / "all-0008"
    assert weights_fingerprint(folder / "final" / "fusion") == weights_fingerprint(last)
    assert load(str(folder / "final" / "fusion"), device="cpu").family.name == "LLaVA-1.5"


def test_the_first_stage_changes_the_projector_and_nothing_else(
    trained: tuple[Path, TOLD],
) -> None:
    folder, _ = trained
    start = weights(folder / "starts" / "llava-small")
    after = weights(folder / "fusion-llava-small" / "projector-0004")
    changed = {
        name for name, value in start.items() if not torch.equal(value.bfloat16(), after[name])
    }
    assert changed == {name for name in start if "multi_modal_projector" in name}


def test_the_second_stage_changes_every_part(trained: tuple[Path, TOLD]) -> None:
    folder, _ = trained
    before, after = (
        weights(folder / "fusion-llava-small" / name) for name in ("projector-0004", "all-0008")
    )
    for part in ("vision_tower", "multi_modal_projector", "language_model", "lm_head"):
        assert any(part in name and not torch.equal(before[name], after[name]) for name in before)


def test_both_lines_start_from_the_same_weights(trained: tuple[Path, TOLD]) -> None:
    _, told = trained
    stages = [stage for stage, step, _ in told if step == 1]
    assert stages == ["tower", "language", "projector", "all", "projector", "all"]
