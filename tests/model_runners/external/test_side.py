"""The worker's own files: clean masks, the same noise, and nothing that an old Python lacks."""

import ast
from pathlib import Path

import pytest
import torch

from data_cache.samples import Benchmark
from model_runners.asking import USUAL
from model_runners.bad_samples import BadSamples
from model_runners.errors import SelfTestFailed
from model_runners.external.side.pidscope_worker import forks, noise, work
from model_runners.external.side.pidscope_worker.prompts import span_of, tokens_behind
from model_runners.external.spec import ADAPTERS
from model_runners.external.supervisor import SIDE, Answer
from model_runners.external.tasks import checks_of, described, require_passed
from model_runners.masking import Moments, draw_noise, stream_seed

PACKAGES = ("cambrian", "vita")


def checked_by(adapter, few: Benchmark, folder: Path):
    first, *rest = described(few.samples[:8], folder, USUAL, BadSamples())
    samples = [first, next(one for one in rest if one["digests"] != first["digests"])]
    request = {"batch_rows": 8, "seed": 0, "pooling": "mean"}
    values, _ = work.Work(adapter, request, lambda: None).check({"samples": samples})
    return values, checks_of(Answer(values=values, table=None), "float32")


@pytest.mark.parametrize("package", PACKAGES)
def test_masking_is_clean(adapter, few: Benchmark, package: str, tmp_path: Path) -> None:
    _, checks = checked_by(adapter(package), few, tmp_path)
    require_passed(package, checks)


def test_what_enters_again_inside_the_layers_is_masked_too(
    adapter, few: Benchmark, tmp_path: Path
) -> None:
    model = adapter("cambrian")
    values, _ = checked_by(model, few, tmp_path)
    assert set(values["streams"]) == {
        "vision", "text", "global_context_feature",
        "vision_tower_aux_feature_list.0", "vision_tower_aux_feature_list.1",
    }  # fmt: skip
    masked = work.Work.masked

    def without_side_channels(self, merged, *what):
        found = masked(self, merged, *what)
        rows = [row for row, _, _ in what[1]]
        found.side = {name: [one[row] for row in rows] for name, one in merged.side.items()}
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work.Work, "masked", without_side_channels)
        _, checks = checked_by(model, few, tmp_path)
    with pytest.raises(SelfTestFailed, match="with the image masked, other pixels still change"):
        require_passed("leaking", checks)


def test_noise_is_the_same_on_both_sides(few: Benchmark) -> None:
    sample = few.samples[3]
    told = {"id": sample.id, "digests": [image.digest for image in sample.images]}
    ours = Moments(mean=torch.arange(4.0), std=torch.tensor([1.0, 2.0, 0.5, 3.0]), count=9)
    for stream, modality in (("vision", "vision"), ("text", "text"), ("aux.1", "vision")):
        here = stream_seed(stream, modality, 7, sample, 2)  # pyright: ignore[reportArgumentType]
        assert here == noise.stream_seed(stream, modality, 7, told, 2)
        there = noise.draw_noise((ours.mean, ours.std), 5, here)
        assert torch.equal(draw_noise(ours, 5, here), there)


def test_moments_of_batches_are_those_of_the_whole() -> None:
    rows = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 4 + 1
    running = noise.RunningMoments()
    for part in rows.split(7):
        running.update(part)
    mean, std = running.finish()
    assert torch.allclose(mean, rows.mean(0), atol=1e-6)
    assert torch.allclose(std, rows.std(0), atol=1e-6)


def test_a_piece_of_a_prompt_is_found_without_offsets() -> None:
    """A tokenizer that joins a blank with what follows, and `t:` into one."""

    def encode(text: str) -> list[int]:
        found, rest = [], text
        while rest:
            size = 2 if rest[:2] in {" a", "t:"} else 1
            found.append(hash(rest[:size]))
            rest = rest[size:]
        return found

    prompt = "U: at: end"
    first, last = span_of(encode, prompt, 3, 5)  # "at"; its t melts into the colon
    whole = [" a", "t:"]
    assert encode(prompt)[first:last] == [hash(one) for one in whole] or first <= 2 < last
    assert last == encode(prompt).index(hash("t:")) + 1, "what melts together is masked whole"
    assert tokens_behind(encode, "U:", " a") == [hash(" a")]
    assert tokens_behind(encode, "U: at", ":") == []


def test_a_part_that_does_not_fit_is_halved_and_nothing_is_done_twice() -> None:
    done: list[int] = []
    sizes: list[int] = []

    def needs_room(part: list[int]) -> None:
        sizes.append(len(part))
        if len(part) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        done.extend(part)

    work.with_room(needs_room, list(range(10)), 8)
    assert done == list(range(10))
    assert sizes == [8, 4, 2, 2, 2, 2, 2]
    with pytest.raises(torch.OutOfMemoryError):
        work.with_room(lambda _: needs_room([0] * 9), [1], 4)


def test_an_argument_that_nobody_knows_is_refused_by_its_name(adapter) -> None:
    model = adapter("vita")
    with pytest.raises(forks.Unsupported, match="asks for depth_maps"):
        model.accepted(lambda images, depth_maps: None, {"images": None})


def test_a_conversation_that_is_not_there_is_told_with_those_that_are(adapter) -> None:
    with pytest.raises(forks.Unsupported, match="no conversation 'llama_3'; it has vicuna_v1"):
        adapter("cambrian", conversation="llama_3")


@pytest.mark.parametrize("path", sorted(SIDE.rglob("*.py")), ids=lambda path: path.name)
def test_an_old_python_can_read_it(path: Path) -> None:
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    outside = {"torch", "numpy", "pyarrow", "PIL", "transformers"}
    stdlib = {"__future__", "collections", "dataclasses", "hashlib", "importlib", "inspect", "json"}
    stdlib |= {"os", "pathlib", "platform", "sys", "threading", "time", "traceback", "typing"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = {(node.module or "").partition(".")[0]}
        else:
            continue
        assert names <= outside | stdlib, "it must run beside old packages, without PIDscope"


def test_the_adapters_are_those_that_the_other_side_names() -> None:
    from model_runners.external.side.pidscope_worker.adapters import ADAPTERS as THERE

    assert set(ADAPTERS) == set(THERE)
