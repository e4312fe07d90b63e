"""Families that nobody wrote down: what is found, what the self-test says, and what is refused."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.__main__ import main
from model_runners.errors import SelfTestFailed, UnsupportedModel
from model_runners.families import FAMILIES
from model_runners.loading import LoadedModel, load
from model_runners.recognition import find_placeholder, recognise
from model_runners.selftest import self_test
from tests.model_runners import zoo
from tests.model_runners.unwritten import UNWRITTEN

# transformers' processor of GLM-4.6V makes numpy arrays of tensors in a way that numpy is to lose.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Tiny = Callable[[str], LoadedModel]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return zoo.loaded_once(tmp_path_factory.mktemp("unwritten"), models=UNWRITTEN)


@pytest.mark.parametrize("model_type", sorted(UNWRITTEN))
def test_a_family_without_a_file_proves_its_masking_as_any_other(
    model_type: str, tiny: Tiny, digits: Benchmark
) -> None:
    loaded = tiny(model_type)
    assert loaded.family.model_type not in FAMILIES
    assert not loaded.family.is_written
    assert self_test(loaded, digits.samples[:8]).passed


@pytest.mark.parametrize("model_type", sorted(UNWRITTEN))
def test_the_placeholder_is_where_other_pixels_give_other_vectors(
    model_type: str, tiny: Tiny
) -> None:
    loaded = tiny(model_type)
    token = find_placeholder(loaded.model, loaded.stack, loaded.processor)
    assert token == loaded.image_token_id


def test_it_runs_through_the_command_line(
    tiny: Tiny, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one with M-RoPE and a slot for videos."""
    folder = tiny("glm46v").source.location
    arguments = ["profile", "--cache", str(tmp_path), "--model", folder, "--limit", "4"]
    assert main([*arguments, "--benchmark", "digits_vqa", "--draws", "1", "--layers"]) == 0
    assert "self-test passed" in capsys.readouterr().err


def test_a_leak_in_it_is_refused_by_the_property_that_fails(tiny: Tiny, digits: Benchmark) -> None:
    loaded = tiny("vipllava")
    seen: list[torch.Tensor] = []
    tower = loaded.model.model.multi_modal_projector.register_forward_hook(
        lambda _m, _a, output: seen.append(output[0].mean(0))
    )

    def leak(_module: Any, _arguments: Any, output: Any) -> torch.Tensor:
        return output + seen[-1]

    layer = loaded.stack.layers[0].register_forward_hook(leak)
    try:
        with pytest.raises(SelfTestFailed, match="image leaks past the mask") as caught:
            self_test(loaded, digits.samples[:8])
    finally:
        tower.remove()
        layer.remove()
    assert "recognised without a family file (docs/adding-a-family.md)" in str(caught.value)


class AnyNames:
    """A model whose parts have names of its own."""

    def __init__(self, model: Any):
        self.config = model.config
        self.decoder = torch.nn.Linear(1, 1)

    def get_decoder(self) -> torch.nn.Module:
        return self.decoder

    def named_modules(self) -> list[tuple[str, torch.nn.Module]]:
        return [("decoder", self.decoder)]


def test_a_model_that_follows_no_idiom_is_refused(tiny: Tiny) -> None:
    loaded = tiny("vipllava")
    with pytest.raises(UnsupportedModel, match=r"decoder \(Linear\) has no list of layers"):
        recognise(AnyNames(loaded.model), loaded.processor)


def test_pixels_without_a_place_are_no_placeholder(untrained: Path) -> None:
    loaded = load(str(untrained), device="cpu")
    blind = loaded.model.model.multi_modal_projector.register_forward_hook(
        lambda _m, _a, output: output * 0
    )
    try:
        with pytest.raises(UnsupportedModel, match="no position of a prompt holds pixels"):
            find_placeholder(loaded.model, loaded.stack, loaded.processor)
    finally:
        blind.remove()


def test_a_q_former_that_no_file_describes_cannot_pass(
    digits: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = load(str(zoo.build("instructblip", tmp_path / "written")), device="cpu")
    recognised = recognise(written.model, written.processor)
    with pytest.raises(SelfTestFailed, match="the text leaks past the mask"):
        self_test(dataclasses.replace(written, family=recognised), digits.samples[:8])
    monkeypatch.delitem(FAMILIES, "instructblip")
    with pytest.raises(UnsupportedModel, match="chat template"):
        load(written.source.location, device="cpu")


def test_a_model_that_takes_no_prompt_without_an_image_is_refused(
    digits: Benchmark, tmp_path: Path
) -> None:
    written = load(str(zoo.build("instructblip", tmp_path / "written")), device="cpu")
    needy = dataclasses.replace(written.family, without_image=None)
    with pytest.raises(SelfTestFailed, match=r"without its image .*pixel_values"):
        self_test(dataclasses.replace(written, family=needy), digits.samples[:8])
