"""Loading: what identifies a model, and what is said where it cannot be loaded."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from model_runners.errors import BadOption, ModelNotFound, UnsupportedModel
from model_runners.loading import choose_device, device_kind, find_stack, load, weights_fingerprint


def test_a_model_comes_from_its_folder_ready_to_run(untrained: Path) -> None:
    loaded = load(str(untrained), device="cpu")
    assert (loaded.dtype, str(loaded.device), loaded.family.name) == ("float32", "cpu", "LLaVA-1.5")
    assert not loaded.model.training
    assert len(loaded.stack.layers) == 2


def test_the_fingerprint_changes_with_a_weight_and_with_the_template(
    untrained: Path, tmp_path: Path
) -> None:
    before = weights_fingerprint(untrained)
    for name in ("model.safetensors", "chat_template.jinja"):
        copy = tmp_path / name.split(".", maxsplit=1)[0]
        shutil.copytree(untrained, copy)
        assert weights_fingerprint(copy) == before
        content = bytearray((copy / name).read_bytes())
        content[-1] ^= 1
        (copy / name).write_bytes(bytes(content))
        assert weights_fingerprint(copy) != before


def test_a_hub_blob_is_known_by_its_name_and_not_read(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / ("a" * 64)
    blob.parent.mkdir()
    blob.write_bytes(b"weights")
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / "model.safetensors").symlink_to(blob)
    before = weights_fingerprint(snapshot)
    blob.write_bytes(b"a content that its name denies")
    assert weights_fingerprint(snapshot) == before


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"model_type": "llama"}, "'llama', which reads text only"),
        ({"model_type": "gemma3_text"}, "'gemma3_text', which reads text only"),
        ({"model_type": "vit"}, "does not answer questions about images"),
        ({"model_type": "internvl_chat", "auto_map": {"AutoConfig": "x.Y"}}, "code of its own"),
        ({"model_type": "of-next-year"}, "does not recognize this architecture"),
    ],
)
def test_a_model_that_cannot_be_asked_about_images_is_refused_by_its_config(
    config: dict[str, object], says: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UnsupportedModel, match=says) as caught:
        load(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_without_a_chat_template_is_refused_in_one_sentence(
    untrained: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(untrained, copy)
    (copy / "chat_template.jinja").unlink()
    (copy / "model.safetensors").unlink()
    with pytest.raises(UnsupportedModel, match=r"no chat template.*add a chat_template\.jinja"):
        load(str(copy))


@pytest.mark.parametrize("content", ["{}", "not json", "[]"])
def test_a_config_that_is_none_is_refused_in_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(UnsupportedModel) as caught:
        load(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [None, 0.0, 0.5])
def test_missing_or_cut_weights_are_refused_in_one_sentence(
    share: float | None, untrained: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(untrained, copy)
    weights = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").unlink()
    if share is not None:
        (copy / "model.safetensors").write_bytes(weights[: int(share * len(weights))])
    with pytest.raises(UnsupportedModel, match="cannot be loaded") as caught:
        load(str(copy))
    assert "\n" not in str(caught.value)


def test_a_hub_model_that_cannot_be_had_is_refused_in_one_sentence() -> None:
    with pytest.raises(ModelNotFound, match="hub did not give it") as caught:
        load("no-such-lab/no-such-model")
    assert "\n" not in str(caught.value)


def test_a_stack_that_is_not_where_the_family_says_is_named(untrained: Path) -> None:
    import dataclasses

    loaded = load(str(untrained), device="cpu")
    for field, value, says in (
        ("stack", "model.decoder", r"no text stack at 'model\.decoder'"),
        ("layers", "blocks", "no list of layers"),
        ("norm", "ln_f", "no final norm"),
    ):
        with pytest.raises(UnsupportedModel, match=says):
            find_stack(loaded.model, dataclasses.replace(loaded.family, **{field: value}))


def test_unusable_devices_are_refused() -> None:
    with pytest.raises(BadOption, match="is not a device"):
        choose_device("gpu7")
    with pytest.raises(BadOption, match="not supported"):
        choose_device("meta")
    assert choose_device("cpu").type == "cpu"


def test_a_cpu_is_known_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_kind("auto") == choose_device("auto").type
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert device_kind("cpu") == "cpu"
    monkeypatch.setattr("os.listdir", lambda folder: ["null", "nvme0"])
    monkeypatch.setattr("sys.platform", "linux")
    assert device_kind("auto") == "cpu"
    monkeypatch.setattr("os.listdir", lambda folder: ["null", "nvidiactl"])
    with pytest.raises(ImportError):
        device_kind("auto")
