"""Encoder-decoders: what is masked is read by the encoder, and the decoder answers."""

import copy
import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.encoding import encode
from model_runners.errors import UnsupportedModel
from model_runners.loading import LoadedModel, load
from model_runners.profile import ProfileOptions, profile
from model_runners.stack import replay
from model_runners.vision import merge
from tests.model_runners.tiny.parts import LAYERS
from tests.model_runners.zoo import build


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("instructblip_t5", tmp_path_factory.mktemp("decoding") / "t5")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> LoadedModel:
    return load(str(folder), device="cpu")


def test_the_language_model_decides_the_family(loaded: LoadedModel, tmp_path: Path) -> None:
    assert loaded.family.model_type == "instructblip_t5"
    other = load(str(build("instructblip", tmp_path / "llama")), device="cpu")
    assert other.family.model_type == "instructblip"
    assert other.stack.decoder is None


def test_layers_are_those_of_the_half_that_answers(loaded: LoadedModel, digits: Benchmark) -> None:
    decoder = loaded.model.language_model.decoder
    assert loaded.stack.layers is decoder.block
    samples = digits.samples[:2]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples)
    read = replay(loaded.stack, captured.embeddings, captured.arguments(), with_layers=True)
    assert read.layers is not None
    assert read.layers.shape == (LAYERS, 2, decoder.config.d_model)
    assert torch.allclose(read.layers[-1], read.hidden, atol=1e-6)


def test_going_on_from_a_copy_leaves_what_was_read_as_it_is(
    loaded: LoadedModel, digits: Benchmark
) -> None:
    samples = digits.samples[:2]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples)
    read = replay(loaded.stack, captured.embeddings, captured.arguments(), keep_cache=True).cache
    said = loaded.model.get_input_embeddings()(torch.tensor([[7, 8, 9], [10, 11, 12]]))

    def go_on(*pieces: slice) -> torch.Tensor:
        past = copy.deepcopy(read)
        states = [
            replay(loaded.stack, said[:, piece], {}, past=past, every_position=True).hidden
            for piece in pieces
        ]
        return torch.cat(states, 1)

    whole = go_on(slice(0, 3))
    assert torch.equal(whole, go_on(slice(0, 3)))
    assert torch.allclose(whole, go_on(slice(0, 1), slice(1, 3)), atol=1e-5)
    with torch.no_grad():
        tokens = torch.tensor([[0, 7, 8, 9], [0, 10, 11, 12]])
        inputs = {**batch.inputs, "decoder_input_ids": tokens}
        plain = loaded.model(**inputs).logits
    assert torch.allclose(loaded.stack.logits(whole), plain[:, 1:], atol=1e-4)


def test_a_run_scores_the_same_in_any_batch(
    folder: Path, digits: Benchmark, tmp_path: Path
) -> None:
    from data_cache.chunks import read_chunk

    found: list[dict[tuple[Any, ...], list[float]]] = []
    small = dataclasses.replace(digits, samples=digits.samples[:48])  # noise of fewer is as good
    for size in (16, 1):
        cache = tmp_path / str(size)
        options = ProfileOptions(
            model=str(folder),
            benchmark="digits_vqa",
            limit=6,
            draws=1,
            batch_size=size,
            layers=True,
        )
        report = profile(options, cache, benchmark=small)
        assert report.self_test.passed
        (chunk,) = cache.rglob(f"{report.run_key}/*.parquet")
        found.append(
            {
                (row["sample_id"], row["condition"], row["draw"], row["layer"]): row["scores"]
                for row in read_chunk(chunk).table.to_pylist()
            }
        )
    many, one = found
    assert one.keys() == many.keys()
    assert len(one) == 6 * 5 * (1 + LAYERS)
    for key, scores in one.items():
        assert torch.allclose(torch.tensor(scores), torch.tensor(many[key]), atol=1e-4), key


def test_features_of_layers_are_refused_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    options = ProfileOptions(
        model=str(folder), benchmark="digits_vqa", limit=6, layer_features=True
    )
    with pytest.raises(UnsupportedModel, match="run it with the layers alone"):
        profile(options, tmp_path)
