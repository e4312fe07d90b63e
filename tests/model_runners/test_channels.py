"""Side channels: taken apart by sample, masked, and put together as the text stack takes them."""

import dataclasses
import io

import numpy as np
import pytest
import torch

from data_cache.benchmarks.digits_vqa import IMAGE_SIDE
from data_cache.conditions import Condition
from data_cache.samples import Benchmark, ImageFile, Sample
from model_runners import masking
from model_runners.candidates import Candidates
from model_runners.channels import CHANNELS, side_streams
from model_runners.encoding import EncodedBatch, decode_image, encode
from model_runners.errors import UnsupportedModel
from model_runners.inference import BatchResult, BatchRunner, pooled
from model_runners.loading import LoadedModel, load
from model_runners.masking import MaskedRow, Masker, NoiseStatistics
from model_runners.stack import Captured, before, content, replay, take
from model_runners.statistics import observe
from model_runners.vision import VisionCache, merge, to_device
from tests.model_runners.zoo import build

STREAMS = {
    "gemma4": {"vision", "text", "per_layer_inputs"},
    "mllama": {"vision", "text"},
    "qwen3_vl": {"vision", "text", "deepstack_visual_embeds.0", "deepstack_visual_embeds.1"},
}
KEYWORDS = {
    "gemma4": "per_layer_inputs",
    "mllama": "cross_attention_states",
    "qwen3_vl": "deepstack_visual_embeds",
}


def _loaded(family: str, factory: pytest.TempPathFactory) -> LoadedModel:
    return load(str(build(family, factory.mktemp("channels") / family)), device="cpu")


@pytest.fixture(scope="module")
def mllama(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return _loaded("mllama", tmp_path_factory)


@pytest.fixture(scope="module", params=sorted(STREAMS))
def loaded(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    mllama: LoadedModel,
) -> LoadedModel:
    return mllama if request.param == "mllama" else _loaded(request.param, tmp_path_factory)


def wide(sample: Sample) -> Sample:
    """Return the sample with an image of two tiles, or twice the patches."""
    file = io.BytesIO()
    image = decode_image(sample.images[0]).resize((2 * IMAGE_SIDE, IMAGE_SIDE))
    image.save(file, "PNG")
    return dataclasses.replace(
        sample, id=f"{sample.id}-wide", images=(ImageFile(data=file.getvalue()),)
    )


@pytest.fixture(scope="module")
def samples(digits: Benchmark) -> tuple[Sample, ...]:
    """Prompts of other lengths, two about one image, and an image of another shape."""
    first, *others = digits.samples
    sibling = next(s for s in others if s.images[0].digest == first.images[0].digest)
    other = next(s for s in others if s.images[0].digest != first.images[0].digest)
    return first, other, wide(other), sibling


def encoded(loaded: LoadedModel, samples: tuple[Sample, ...]) -> EncodedBatch:
    return encode(loaded.processor, samples, image_token_id=loaded.image_token_id)


def noise(loaded: LoadedModel, samples: tuple[Sample, ...]) -> NoiseStatistics:
    return observe(loaded, samples, scope="all", images=VisionCache(), batch_size=2)


def run(loaded: LoadedModel, samples: tuple[Sample, ...], rows_per_pass: int = 64) -> BatchResult:
    return BatchRunner(
        loaded=loaded,
        masker=Masker(statistics=noise(loaded, samples), seed=0),
        candidates=Candidates(loaded.processor.tokenizer),
        images=VisionCache(),
        draws=2,
        with_layers=True,
        rows_per_pass=rows_per_pass,
    ).run(samples)


def family_of(loaded: LoadedModel) -> str:
    return loaded.family.model_type


def test_every_channel_of_the_table_is_tried_on_a_real_class() -> None:
    assert set(KEYWORDS.values()) == CHANNELS.keys()


def test_a_channel_put_together_again_is_what_the_text_stack_was_given(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    batch = encoded(loaded, samples)
    given: dict[str, object] = {}
    with before(loaded.stack.module, lambda keywords: given.update(keywords)):
        loaded.model(**to_device(batch.inputs, loaded))
    found = merge(loaded, batch, samples).arguments()[KEYWORDS[family_of(loaded)]]
    original = given[KEYWORDS[family_of(loaded)]]
    if isinstance(original, list):
        assert len(found) == len(original) == 2
        assert all(map(torch.equal, found, original))
    else:
        assert isinstance(original, torch.Tensor)
        assert torch.equal(found, original)


@pytest.mark.parametrize(
    ("keywords", "inputs"),
    [
        ({"deepstack_visual_embeds": [torch.zeros(5, 4)]}, {}),
        (
            {
                "deepstack_visual_embeds": [torch.zeros(5, 4)],
                "visual_pos_masks": torch.ones(2, 3, dtype=torch.bool),
            },
            {},
        ),
        ({"cross_attention_states": torch.zeros(3, 5, 4)}, {}),
        (
            {"cross_attention_states": torch.zeros(4, 5, 4)},
            {"aspect_ratio_mask": torch.ones(2, 1, 4)},
        ),
        ({"per_layer_inputs": torch.zeros(2, 3, 4)}, {}),
    ],
)
def test_vectors_that_no_sample_can_claim_are_refused(
    keywords: dict[str, object], inputs: dict[str, object]
) -> None:
    (keyword,) = keywords.keys() & CHANNELS.keys()
    with pytest.raises(UnsupportedModel, match=keyword):
        side_streams(keywords, inputs, 2)


def test_every_stream_has_noise_of_its_own(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    found = noise(loaded, samples)
    assert found.streams.keys() == STREAMS[family_of(loaded)]
    batch = encoded(loaded, samples)
    pooled_from = content(merge(loaded, batch, samples), batch, beside=False)
    assert pooled_from.keys() == {"vision", "text"}
    digests = {(m.mean.numpy().tobytes(), m.std.numpy().tobytes()) for m in found.streams.values()}
    assert len(digests) == len(found.streams)
    assert all(float(moments.std.max()) > 0 for moments in found.streams.values())


def test_masked_rows_replayed_in_one_call_are_edits_inside_ordinary_forward_passes(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    batch = encoded(loaded, samples)
    captured = merge(loaded, batch, samples)
    masker = Masker(statistics=noise(loaded, samples), seed=1)
    kinds = [{"vision": True}, {"text": True}, {"vision": True, "text": True}, {}]
    rows = [MaskedRow(index=i, draw=1, **hide) for hide in kinds for i in range(len(samples))]
    masked = masker.masked(captured, batch, samples, rows)
    together = replay(loaded.stack, masked.embeddings, masked.arguments()).hidden
    for kind, hide in enumerate(kinds):
        one = masker.masked(
            captured,
            batch,
            samples,
            [MaskedRow(index=i, draw=1, **hide) for i in range(len(samples))],
        )

        def edit(keywords: dict[str, object], one: Captured = one) -> dict[str, object]:
            side = {name: one.arguments()[name] for name in CHANNELS if name in one.arguments()}
            return {**keywords, "input_ids": None, "inputs_embeds": one.embeddings, **side}

        with torch.no_grad(), before(loaded.stack.module, edit):
            inside = loaded.model(**to_device(batch.inputs, loaded)).logits[:, -1]
        part = together[kind * len(samples) : (kind + 1) * len(samples)]
        assert torch.allclose(loaded.stack.logits(part), inside, atol=1e-4)


def test_a_samples_noise_is_the_same_alone_and_in_any_batch(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    statistics = noise(loaded, samples)

    def masked(of: tuple[Sample, ...]) -> dict[str, list[torch.Tensor]]:
        batch = encoded(loaded, of)
        masker = Masker(statistics=statistics, seed=0)
        rows = [MaskedRow(index=i, vision=True, text=True) for i in range(len(of))]
        return content(masker.masked(merge(loaded, batch, of), batch, of, rows), batch)

    together = masked(samples)
    for place, sample in enumerate(samples):
        for name, vectors in masked((sample,)).items():
            assert torch.equal(vectors[0], together[name][place]), name


def test_noise_drawn_by_many_threads_is_the_same_to_the_bit(
    loaded: LoadedModel, samples: tuple[Sample, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = encoded(loaded, samples)
    captured = merge(loaded, batch, samples)
    masker = Masker(statistics=noise(loaded, samples), seed=0)
    rows = [
        MaskedRow(index=i, vision=i != 1, text=draw != 1, draw=draw)
        for draw in range(8)
        for i in range(len(samples))
    ]
    one_by_one = masker.masked(captured, batch, samples, rows)
    monkeypatch.setattr(masking, "MANY_VALUES", 1)
    found = masker.masked(captured, batch, samples, rows)
    assert torch.equal(found.embeddings, one_by_one.embeddings)
    for name, stream in found.side.items():
        assert all(map(torch.equal, stream.vectors, one_by_one.side[name].vectors))


def test_questions_about_one_image_share_the_noise_of_its_side_channels(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    batch = encoded(loaded, samples)
    masker = Masker(statistics=noise(loaded, samples), seed=0)
    rows = [MaskedRow(index=i, vision=True, text=True) for i in range(len(samples))]
    found = content(masker.masked(merge(loaded, batch, samples), batch, samples, rows), batch)
    for name, vectors in found.items():
        of_text = name in {"text", "per_layer_inputs"}
        shared = torch.equal(vectors[0][:8], vectors[3][:8])
        assert shared is not of_text, name
        assert not torch.equal(vectors[0][:8], vectors[1][:8]), name


def test_scores_do_not_depend_on_how_a_batch_is_cut(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    together = {(r.sample.id, r.condition, r.draw, r.layer): r for r in run(loaded, samples).rows}
    apart = {
        (r.sample.id, r.condition, r.draw, r.layer): r
        for r in run(loaded, samples, rows_per_pass=3).rows
    }
    assert together.keys() == apart.keys()
    assert all(np.allclose(together[k].scores, apart[k].scores, atol=1e-4) for k in together)


def test_taken_rows_repeat_and_reorder_the_side_channels(
    loaded: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    captured = merge(loaded, encoded(loaded, samples), samples)
    order = [2, 0, 0, 3, 1]
    mixed = take(captured, order)
    straight = replay(loaded.stack, captured.embeddings, captured.arguments()).hidden
    found = replay(loaded.stack, mixed.embeddings, mixed.arguments()).hidden
    assert torch.allclose(found, straight[order], atol=1e-5)


def test_only_the_tiles_of_an_image_are_its_content(
    mllama: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    batch = encoded(mllama, samples)
    captured = merge(mllama, batch, samples)
    vectors = content(captured, batch)["vision"]
    tile = 17
    assert [len(rows) for rows in vectors] == [tile, tile, 2 * tile, tile]
    states = captured.arguments()["cross_attention_states"].unflatten(0, (4, 2))
    assert torch.equal(vectors[0], states[0, 0])
    assert torch.equal(vectors[2], states[2].flatten(0, 1))
    features = pooled(captured, batch, samples)
    assert np.allclose(features[samples[0].id].vision, states[0, 0].mean(0).numpy(), atol=1e-5)
    assert features[samples[2].id].vision_tokens == 2 * tile
    assert observe(
        mllama, samples, scope="all", images=VisionCache(), batch_size=4
    ).vision.count == sum(map(len, vectors))


def test_a_masked_padding_tile_keeps_nothing_of_the_image(
    mllama: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    batch = encoded(mllama, samples)
    captured = merge(mllama, batch, samples)
    statistics = noise(mllama, samples)
    masked = Masker(statistics=statistics, seed=0).masked(
        captured, batch, samples, [MaskedRow(index=0, vision=True)]
    )
    assert torch.equal(masked.embeddings[0], captured.embeddings[0]), "the placeholder stays"
    tiles = masked.arguments()["cross_attention_states"]
    assert not torch.equal(tiles[0], statistics.vision.mean.expand(17, -1))
    assert torch.equal(tiles[1], statistics.vision.mean.expand(17, -1))


def test_a_prompt_without_an_image_leaves_layers_out_and_the_lens_repeats_the_one_below(
    mllama: LoadedModel, samples: tuple[Sample, ...]
) -> None:
    assert mllama.model.config.text_config.cross_attention_layers == [1, 2], "all but the first"
    rows = {
        (row.sample.id, row.layer): row.scores
        for row in run(mllama, samples).rows
        if row.condition is Condition.NO_IMAGE
    }
    assert len(rows) == len(samples) * (1 + len(mllama.stack.layers))
    sample = samples[0]
    plain = encode(
        mllama.processor, [sample], image_token_id=mllama.image_token_id, with_image=False
    )
    with torch.no_grad():
        log_p = mllama.model(**plain.inputs).logits[0, -1].log_softmax(-1)
    tokens = [Candidates(mllama.processor.tokenizer).token(letter) for letter in sample.letters]
    for layer in (0, 1, 2, -1):
        assert np.allclose(rows[sample.id, layer], log_p[tokens].numpy(), atol=1e-4)
