"""Patching the last token: what must come out exactly, on real models of several architectures."""

import dataclasses
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch

from data_cache.conditions import Condition
from data_cache.patch_effects import UNPATCHED
from data_cache.samples import Benchmark
from model_runners.asking import Asking
from model_runners.candidates import Candidates
from model_runners.encoding import encode
from model_runners.errors import BadOption, SelfTestFailed, UnsupportedModel
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker, RunningMoments
from model_runners.patching import PatchRow, PatchRunner, last_layers, patched
from model_runners.stack import before, content
from model_runners.statistics import NoiseStatistics
from model_runners.vision import VisionCache, merge
from tests.model_runners.zoo import loaded_once

ARCHITECTURES = ("llava", "qwen2_5_vl", "gemma3", "mllama", "instructblip_t5")
"""Beside the three that matter most: an image in cross-attention, and an encoder-decoder."""
COUNT = 4


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    return loaded_once(tmp_path_factory.mktemp("patching"))


def runner(loaded: LoadedModel, digits: Benchmark, **changes: object) -> PatchRunner:
    samples = digits.samples[:COUNT]
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    moments: dict[str, RunningMoments] = {}
    for name, vectors in content(merge(loaded, batch, samples), batch).items():
        moments.setdefault(name, RunningMoments()).update(torch.cat(vectors))
    found = {name: one.finish() for name, one in moments.items()}
    statistics = NoiseStatistics(vision=found.pop("vision"), text=found.pop("text"), side=found)
    given = {
        "masker": Masker(statistics=statistics, seed=3),
        "candidates": Candidates.of_model(loaded),
        "images": VisionCache(),
        "layers": last_layers(len(loaded.stack.layers), 1.0),
        "draws": 2,
    }
    return PatchRunner(loaded=loaded, **given | changes)  # pyright: ignore[reportArgumentType]


def scores(rows: list[PatchRow]) -> dict[tuple[str, Condition, int, int], np.ndarray]:
    return {(r.sample.id, r.condition, r.draw, r.layer): r.scores for r in rows}


def moved(rows: list[PatchRow], layer: int) -> float:
    """Return the largest change that patching a layer made to a candidate's log-likelihood."""
    found = scores(rows)
    return max(
        float(np.abs(mine - found[sample, condition, draw, UNPATCHED]).max())
        for (sample, condition, draw, at), mine in found.items()
        if at == layer
    )


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_patching_the_last_layer_gives_the_full_runs_answer_and_a_state_with_itself_nothing(
    name: str, tiny: Callable[[str], LoadedModel], digits: Benchmark
) -> None:
    loaded = tiny(name)
    one = runner(loaded, digits)
    rows = one.run(digits.samples[:COUNT])
    found = scores(rows)
    last = len(loaded.stack.layers) - 1
    assert len(found) == len(rows) == COUNT * (1 + 2 * (1 + last + 1))
    for (sample, _, _, layer), mine in found.items():
        if layer == last:
            assert np.allclose(mine, found[sample, Condition.FULL, 0, UNPATCHED], atol=1e-4)
    assert moved(rows, last) > 0.02, "with nothing to move the test would be empty"
    assert one.check_itself(digits.samples[:COUNT]) < 1e-6


def test_rows_patched_at_different_layers_are_what_ordinary_passes_with_one_edit_give(
    tiny: Callable[[str], LoadedModel], digits: Benchmark
) -> None:
    loaded = tiny("qwen2_5_vl")
    one = runner(loaded, digits, draws=1, rows_per_pass=3)
    samples = digits.samples[:COUNT]
    found = scores(one.run(samples))
    batch = encode(loaded.processor, samples, image_token_id=loaded.image_token_id)
    captured = merge(loaded, batch, samples)
    everyone = [MaskedRow(index=index, vision=True) for index in range(COUNT)]
    noise = one.masker.masked(captured, batch, samples, everyone).embeddings
    answers = [[tokens[0] for tokens in one.candidates.of(s)] for s in samples]
    assert len(one.layers) > 1
    for layer in one.layers:
        seen: list[torch.Tensor] = []
        module = loaded.stack.layers[layer]

        def keep(_module, _args, output, seen=seen):
            seen.append(output if isinstance(output, torch.Tensor) else output[0])

        def put(_module, _args, output, seen=seen):
            state = output if isinstance(output, torch.Tensor) else output[0]
            state[:, -1] = seen[0][:, -1]

        with torch.no_grad():
            handle = module.register_forward_hook(keep)
            loaded.model(**batch.inputs)
            handle.remove()
            handle = module.register_forward_hook(put)
            with before(loaded.stack.module, lambda k: {**k, "inputs_embeds": noise}):
                p = loaded.model(**batch.inputs).logits[:, -1].log_softmax(-1)
            handle.remove()
        for row, sample in enumerate(samples):
            mine = found[sample.id, Condition.ONLY_2, 0, layer]
            assert np.allclose(mine, p[row, answers[row]].numpy(), atol=1e-4), layer


def test_a_model_that_ignores_the_image_shows_no_effect_at_any_layer(
    tmp_path_factory: pytest.TempPathFactory, digits: Benchmark
) -> None:
    """Its last token attends to nothing, so that nothing of the noise ever reaches it."""
    loaded = loaded_once(tmp_path_factory.mktemp("blind"))("llava")
    with torch.no_grad():
        for layer in loaded.stack.layers:
            layer.self_attn.o_proj.weight.zero_()  # pyright: ignore
    rows = runner(loaded, digits).run(digits.samples[:COUNT])
    assert max(moved(rows, layer) for layer in range(len(loaded.stack.layers))) < 1e-5


def test_what_a_state_carries_grows_up_to_the_last_layer_in_a_trained_model(
    oracle: LoadedModel, digits: Benchmark
) -> None:
    """The oracle reads the image in its upper layers: the first layer's state holds none of it."""
    samples = digits.select(subset="synergy", split="test", limit=24)
    rows = scores(runner(oracle, digits, draws=1).run(samples))
    layers = (UNPATCHED, *range(len(oracle.stack.layers)))
    right = [
        np.mean([np.exp(rows[s.id, Condition.ONLY_2, 0, layer][s.answer]) for s in samples])
        for layer in layers
    ]
    assert right[-1] > 0.9
    assert right[0] < 0.5
    assert abs(right[1] - right[0]) < 0.1
    assert all(later > earlier - 0.05 for earlier, later in pairwise(right))


def test_a_patch_that_does_not_arrive_is_no_result(
    tiny: Callable[[str], LoadedModel], digits: Benchmark
) -> None:
    """A layer that stands in the list and not in the model can be watched but not patched."""
    loaded = tiny("gemma3")
    *others, last = loaded.stack.layers

    onlooker = torch.nn.Identity()

    def look(_module, _args, output) -> None:
        onlooker(output)

    handle = last.register_forward_hook(look)
    stack = dataclasses.replace(loaded.stack, layers=torch.nn.ModuleList([*others, onlooker]))
    unreached = dataclasses.replace(loaded, stack=stack)
    try:
        with pytest.raises(SelfTestFailed, match="patching the last layer"):
            runner(unreached, digits).run(digits.samples[:COUNT])
    finally:
        handle.remove()


def test_a_layer_that_does_not_run_is_refused(
    tiny: Callable[[str], LoadedModel], digits: Benchmark
) -> None:
    loaded = tiny("llava")
    layers = torch.nn.ModuleList([torch.nn.Identity(), *loaded.stack.layers])
    idle = dataclasses.replace(loaded, stack=dataclasses.replace(loaded.stack, layers=layers))
    with pytest.raises(UnsupportedModel, match="leaves layer 0 out"):
        runner(idle, digits).run(digits.samples[:COUNT])


def test_answers_of_several_tokens_are_refused(
    tiny: Callable[[str], LoadedModel], digits: Benchmark
) -> None:
    loaded = tiny("llava")
    words = Candidates.of_model(loaded, Asking(answers="options"))
    sample = next(one for one in digits.samples if words.several_tokens(one))
    with pytest.raises(UnsupportedModel, match="several tokens"):
        runner(loaded, digits, candidates=words).run([sample])


def test_no_hook_is_left_behind(tiny: Callable[[str], LoadedModel]) -> None:
    stack = tiny("llava").stack
    with pytest.raises(ZeroDivisionError), patched(stack, [0, 1, UNPATCHED], torch.zeros(3, 4)):
        raise ZeroDivisionError
    assert not any(layer._forward_hooks for layer in stack.layers)


def test_the_last_fifth_is_rounded_up_and_a_share_of_none_is_refused() -> None:
    assert [len(last_layers(depth)) for depth in (1, 5, 6, 15, 32)] == [1, 1, 2, 3, 7]
    for share in (0.0, 1.2, -1.0):
        with pytest.raises(BadOption, match="share of layers"):
            last_layers(4, share)
