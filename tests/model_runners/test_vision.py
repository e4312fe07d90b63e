"""Images are encoded once, for families with one tensor per image and with rows of patches."""

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.loading import LoadedModel, load
from model_runners.vision import VisionCache, by_image, merge
from tests.model_runners.zoo import build


@pytest.fixture(scope="module")
def qwen3(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """One whose images send vectors past the embeddings."""
    return load(str(build("qwen3_vl", tmp_path_factory.mktemp("vision") / "qwen3")), device="cpu")


@pytest.mark.parametrize("family", ["oracle", "qwen", "qwen3"])
def test_reused_images_give_the_same_embeddings(
    family: str, digits: Benchmark, request: pytest.FixtureRequest
) -> None:
    loaded = request.getfixturevalue(family)
    samples = digits.samples[:10]
    distinct = len({sample.images[0].digest for sample in samples})
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    images = VisionCache()
    reused = merge(loaded, batch, samples, images=images)
    plain = merge(loaded, batch, samples)
    assert images.encoded == distinct < len(samples)
    assert torch.allclose(reused.embeddings, plain.embeddings, atol=1e-5)
    assert reused.keywords.keys() == plain.keywords.keys()
    assert reused.side.keys() == plain.side.keys()
    for name, stream in plain.side.items():
        pairs = zip(reused.side[name].vectors, stream.vectors, strict=True)
        assert all(torch.allclose(one, other, atol=1e-5) for one, other in pairs)
    merge(loaded, batch, samples, images=images)
    assert images.encoded == distinct


def test_patches_go_to_the_image_that_they_were_cut_from(qwen) -> None:
    inputs = {
        "pixel_values": torch.arange(12.0)[:, None],
        "image_grid_thw": torch.tensor([[1, 2, 2], [1, 2, 4]]),
    }
    first, second = by_image(qwen.family, inputs)
    assert first["pixel_values"].flatten().tolist() == list(range(4))
    assert second["pixel_values"].flatten().tolist() == list(range(4, 12))
    assert second["image_grid_thw"].tolist() == [[1, 2, 4]]


def test_positions_of_the_family_come_along(qwen, digits: Benchmark) -> None:
    """M-RoPE: without the types of the tokens the family numbers them one by one, silently."""
    samples = digits.samples[:2]
    batch = encode(qwen.processor, samples, image_token_id=qwen.image_token_id)
    positions = merge(qwen, batch, samples).keywords["position_ids"]
    assert positions.shape[0] in (3, 4)
    assert positions.shape[1] == 2
    of_image = positions[-3:, 0][:, batch.vision[0]]
    assert len(of_image[1].unique()) == len(of_image[2].unique()) == 4
