"""The proof that a model's masking is clean, run at every load.

A family file may be wrong, a model may have none, and a new checkpoint may differ from what its
family promises; a leak of one modality past its mask makes every number fiction. So each load
shows, on two real samples, what `self_test` lists. It costs at most ten forward passes of two
samples.

Whether a masked modality still acts is asked of two replays of the same shape that differ in the
masked content only. They are the same arithmetic on the same numbers, so a clean mask gives the
same bits also in half precision. Where two ways to compute the same thing are compared, rounding
differs, and a difference that half precision hides is not seen (`ROUNDING`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from data_cache.samples import Sample
from model_runners import quantisation
from model_runners.asking import USUAL, Asking
from model_runners.channels import side_keywords
from model_runners.checks import LEAK, ROUNDING, Check, SelfTestReport, at_most, more_than
from model_runners.encoding import EncodedBatch, encode
from model_runners.errors import SelfTestFailed
from model_runners.loading import LoadedModel
from model_runners.masking import MaskedRow, Masker, Moments, NoiseStatistics
from model_runners.prompt import MaskScope
from model_runners.sources import Sources, sources_of
from model_runners.stack import Captured, before, content, replay
from model_runners.two_samples import choose_pair, replace_second, swap_first
from model_runners.vision import merge, to_device

if TYPE_CHECKING:
    import torch

__all__ = ["LEAK", "ROUNDING", "Check", "SelfTestReport", "examine", "self_test"]


def self_test(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    scope: MaskScope = "all",
    asking: Asking = USUAL,
) -> SelfTestReport:
    """Run the checks on two samples with different images and texts.

    `replay`: the replay of a captured call is the plain forward pass. `image_masked`,
    `text_masked`: with a modality masked, other content of it changes nothing. `image_matters`,
    `text_matters`: unmasked, it does. `image_mask_acts`, `text_mask_acts`: masking changes the
    output. `batched`: conditions replayed in one batch are what separate, ordinary forward passes
    give with the same noise in place. `lens`: the last layer's lens is the model's output.
    `padding`: a sample in a batch is the sample alone. `placeholder`: pixels reach no other
    position. `spread`: the noise of every stream has a variance. `positions`: image positions have
    two coordinates, in models with M-RoPE.

    Parameters
    ----------
    loaded
        The model as it will be run.
    samples
        At least two; the first pair with different images (or clips) is taken, of different lengths
        where there is one.
    scope
        The mask scope of the run.
    asking
        How the run puts its questions.

    Raises
    ------
    SelfTestFailed
        If a property does not hold; the message names it.
    """
    report = examine(loaded, samples, scope=scope, asking=asking)
    failed = [check for check in report.checks if not check.passed]
    if failed:
        what = "; ".join(f"{check.meaning} ({check.name} = {check.value:.2g})" for check in failed)
        raise SelfTestFailed(
            f"{_title(loaded)} failed its self-test, so nothing was computed: {what}"
        )
    chosen = choose_pair(loaded, samples, asking)
    with _refusals(loaded, "a prompt without its image"):
        bare = _encode(loaded, chosen, scope, asking, with_image=False)
        merge(loaded, bare, chosen, with_image=False)
    return report


def examine(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    *,
    scope: MaskScope = "all",
    asking: Asking = USUAL,
) -> SelfTestReport:
    """Return every check of `self_test`, whether it holds or not.

    Parameters
    ----------
    loaded, samples, scope, asking
        As for `self_test`.

    Raises
    ------
    SelfTestFailed
        If the model cannot even be run on two samples.
    """
    chosen = choose_pair(loaded, samples, asking)
    pair = _encode(loaded, chosen, scope, asking)
    with _refusals(loaded, "what its own processor makes of two samples"):
        return _tested(loaded, chosen, pair, scope, asking)


@contextmanager
def _refusals(loaded: LoadedModel, what: str) -> Iterator[None]:
    """Within the block, say in one sentence what a model does not take."""
    import torch

    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise SelfTestFailed(
            f"{_title(loaded)} failed its self-test, so nothing was computed: "
            f"it refuses {what} ({reason})"
        ) from error


def _tested(
    loaded: LoadedModel,
    chosen: tuple[Sample, Sample],
    pair: EncodedBatch,
    scope: MaskScope,
    asking: Asking,
) -> SelfTestReport:
    sources = sources_of(asking.sources)
    one, other = sources.first, sources.second
    swapped = swap_first(loaded, pair, sources)
    reworded = replace_second(pair, sources)
    captured = merge(loaded, pair, chosen)
    streams = content(captured, pair)
    fewest = min(len(vectors) for name in ("vision", "text") for vectors in streams[name])
    if fewest < 2:
        raise SelfTestFailed(
            f"{_title(loaded)} failed its self-test, so nothing was computed: "
            f"a prompt has {fewest} maskable vectors of one modality; "
            f"is {_placeholder(loaded, sources)} really the placeholder of its {one}?"
        )
    masker = _masker(streams)

    def run(call: Captured, batch: EncodedBatch, rows: Sequence[MaskedRow]) -> _Read:
        return _read(loaded, masker.masked(call, batch, chosen, rows))

    # Of three rows each, so that what is compared has one shape and one place in the batch.
    first, second = (MaskedRow(index=index) for index in range(2))
    blind = [replace(row, vision=True) for row in (first, second)]
    wordless = [replace(row, text=True) for row in (first, second)]
    seen = run(captured, pair, [first, *blind])
    told = run(captured, pair, [*wordless, second])
    # Each replay right after its merge, as in a run: what a model remembers would leak, too.
    other_pixels = merge(loaded, swapped, chosen)
    seen_anew = run(other_pixels, swapped, [first, *blind])
    told_anew = run(merge(loaded, reworded, chosen), reworded, [*wordless, second])
    plain = _plain(loaded, pair)
    in_place = {
        name: _plain(loaded, pair, masker.masked(captured, pair, chosen, rows))
        for name, rows in (("image", blind), ("text", wordless))
    }
    shorter = int(pair.lengths.argmin())
    single = _encode(loaded, [chosen[shorter]], scope, asking)
    alone = _read(loaded, merge(loaded, single, [chosen[shorter]])).logits

    scale = max(1.0, float(plain.abs().max()))
    rounding = ROUNDING.get(loaded.dtype, ROUNDING["float32"])
    leak = LEAK.get(loaded.dtype, LEAK["float32"])
    if loaded.quantisation is not None:
        rounding = max(rounding, quantisation.ROUNDING[loaded.quantisation])
        leak = max(leak, quantisation.LEAK[loaded.quantisation])
    checks = [
        at_most(
            "replay",
            max(_gap(seen.logits[0], plain[0]), _gap(told.logits[2], plain[1])) / scale,
            rounding,
            "the replay differs from the plain forward pass",
        ),
        at_most(
            "image_masked",
            _gap(seen.logits[1:], seen_anew.logits[1:]) / scale,
            leak,
            f"with the {one} masked, another {one} still changes the output: "
            f"the {one} leaks past the mask",
        ),
        at_most(
            "text_masked",
            _gap(told.logits[:2], told_anew.logits[:2]) / scale,
            leak,
            f"with the {other} masked, another {other} still changes the output: "
            f"the {other} leaks past the mask",
        ),
        more_than(
            "image_matters",
            _gap(seen.logits[0], seen_anew.logits[0]),
            0.0,
            f"the {one} does not move the output at all",
        ),
        more_than(
            "text_matters",
            _gap(told.logits[2], told_anew.logits[2]),
            0.0,
            f"the {other} does not move the output at all",
        ),
        more_than(
            "image_mask_acts",
            _gap(seen.logits[0], seen.logits[1]),
            0.0,
            f"masking the {one} does not move the output at all",
        ),
        more_than(
            "text_mask_acts",
            _gap(told.logits[2], told.logits[1]),
            0.0,
            f"masking the {other} does not move the output at all",
        ),
        at_most(
            "batched",
            max(_gap(seen.logits[1:], in_place["image"]), _gap(told.logits[:2], in_place["text"]))
            / scale,
            rounding,
            "masked conditions replayed in one batch differ from ordinary forward passes with the "
            "same noise in place",
        ),
        at_most(
            "lens",
            max(_gap(seen.lens[0], plain[0]), _gap(told.lens[2], plain[1])) / scale,
            rounding,
            "the last layer's lens differs from the model's output",
        ),
        at_most(
            "padding",
            _gap(alone[0], plain[shorter]) / scale,
            rounding,
            "padding of a batch changes the output",
        ),
        at_most(
            "placeholder",
            _reach(captured, other_pixels, pair),
            leak,
            f"the {one} changes the embeddings of positions that are no placeholders of it, "
            f"so a mask of the placeholders cannot hide the {one}",
        ),
        more_than(
            "spread",
            min(float(moments.std.max()) for moments in masker.statistics.streams.values()),
            0.0,
            "the vectors of a modality have no variance, so noise cannot be matched to them",
        ),
    ]
    if _has_mrope(loaded) and one != "audio":  # a sound has no rows and columns
        checks.append(
            more_than(
                "positions",
                float(_off_the_line(captured, pair)),
                0.0,
                f"the positions of the {one} are a line, although the model was trained with rows "
                "and columns (M-RoPE): the processor's mm_token_type_ids are lost",
            )
        )
    return SelfTestReport(
        model=loaded.name,
        family=loaded.family.name,
        dtype=loaded.dtype,
        device=str(loaded.device),
        checks=tuple(checks),
    )


def _title(loaded: LoadedModel) -> str:
    """Say which model is meant, and whether a file describes its family."""
    family = loaded.family.name
    if not loaded.family.is_written:
        family += ", recognised without a family file (docs/adding-a-family.md)"
    return f"{loaded.name} ({family}; {loaded.dtype} on {loaded.device})"


def _placeholder(loaded: LoadedModel, sources: Sources) -> str:
    named = getattr(loaded.processor, f"{sources.first}_token", None)
    return f"token {loaded.image_token_id}" if named is None else str(named)


def _encode(
    loaded: LoadedModel,
    samples: Sequence[Sample],
    scope: MaskScope,
    asking: Asking,
    *,
    with_image: bool = True,
) -> EncodedBatch:
    return encode(
        loaded.processor,
        samples,
        image_token_id=loaded.image_token_id,
        scope=scope,
        asking=asking,
        with_image=with_image,
    )


def _masker(streams: "dict[str, list[torch.Tensor]]") -> Masker:
    """Noise with the moments of these two samples; a benchmark's statistics are not needed."""
    import torch

    def moments(vectors: "list[torch.Tensor]") -> Moments:
        rows = torch.cat(vectors).float().cpu()
        return Moments(mean=rows.mean(0), std=rows.std(0), count=len(rows))

    found = {name: moments(vectors) for name, vectors in streams.items()}
    statistics = NoiseStatistics(vision=found.pop("vision"), text=found.pop("text"), side=found)
    return Masker(statistics=statistics, seed=0)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What a replay of R rows says at the last position."""

    logits: "torch.Tensor"
    """(R, V)."""
    lens: "torch.Tensor"
    """(R, V), through the last layer's lens."""


def _read(loaded: LoadedModel, call: Captured) -> _Read:
    import torch

    last = replay(loaded.stack, call.embeddings, call.arguments(), with_layers=True)
    assert last.layers is not None
    with torch.no_grad():
        logits = loaded.stack.logits
        return _Read(logits=logits(last.hidden).cpu(), lens=logits(last.layers[-1]).cpu())


def _plain(
    loaded: LoadedModel, batch: EncodedBatch, masked: Captured | None = None
) -> "torch.Tensor":
    """Return (B, V) logits of the model's own forward pass, on request with noise in place."""
    import torch

    def edit(keywords: dict[str, Any]) -> dict[str, Any] | None:
        if masked is None:
            return None
        changed = {**keywords, "inputs_embeds": masked.embeddings, **side_keywords(masked.side)}
        if "input_ids" in keywords:
            changed["input_ids"] = None
        return changed

    with before(loaded.stack.module, edit), torch.no_grad():
        output = loaded.model(**to_device(batch.inputs, loaded), use_cache=False)
    return output.logits[:, -1].float().cpu()


def _reach(captured: Captured, swapped: Captured, batch: EncodedBatch) -> float:
    """Return the largest change that other pixels make outside of the image's positions."""
    elsewhere = ~batch.vision.to(captured.embeddings.device)
    before_it = captured.embeddings[elsewhere].float()
    if captured.embeddings.shape != swapped.embeddings.shape or not len(before_it):
        return float("inf")
    scale = max(1e-6, float(before_it.abs().max()))
    return _gap(before_it, swapped.embeddings[elsewhere].float()) / scale


def _has_mrope(loaded: LoadedModel) -> bool:
    """Whether image positions are to have coordinates in time, height and width.

    A language model may have sections for them in a wrapper that never computes any.
    """
    if not any(hasattr(part, "get_rope_index") for part in loaded.model.modules()):
        return False

    def named(value: Any) -> bool:
        if isinstance(value, Mapping):
            return "mrope_section" in value or any(map(named, value.values()))
        return False

    return named(loaded.model.config.get_text_config().to_dict())


def _off_the_line(captured: Captured, batch: EncodedBatch) -> int:
    """Count the image positions whose coordinates in time, height and width are not one number."""
    positions = captured.keywords.get("position_ids")
    if positions is None or positions.dim() != 3:
        return 0
    coordinates = positions[-3:, batch.vision.to(positions.device)]
    return int((coordinates != coordinates[:1]).any(0).sum())


def _gap(a: "torch.Tensor", b: "torch.Tensor") -> float:
    return float((a - b).abs().max())
