"""What a tuned lens is trained on: last-token states of every layer, under all conditions alike.

A lens that had seen full prompts only would read those better than masked ones, and the difference
would look like synergy. So each sample gives one state per condition: full, image masked, text
masked, both masked (one draw of noise), and without the image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.bad_samples import BadSamples
from model_runners.errors import BadOption, Cancelled
from model_runners.inference import BatchRunner
from model_runners.room import Room
from model_runners.stack import replay
from model_runners.unwatched import ignore, never
from model_runners.vision import merge

if TYPE_CHECKING:
    import torch

TRAIN_SHARE = 0.75
"""Of the groups of samples; the others say when to stop."""


@dataclass(frozen=True, kw_only=True)
class LensStates:
    """M states of a model's layers at the last position of a prompt, and where they lead."""

    layers: "torch.Tensor"
    """(layers - 1, M, d) on the CPU, in the model's own type: before the final norm."""
    final: "torch.Tensor"
    """(M, d): after the last layer and the final norm, which the model's own output is made of."""
    groups: tuple[str, ...]
    """(M,): the group of the sample that a state is of."""

    def divided(self, share: float = TRAIN_SHARE) -> "tuple[LensStates, LensStates]":
        """Return the states of the first groups, `share` of them, and those of the others.

        Raises
        ------
        BadOption
            If there are fewer than two groups.
        """
        names = list(dict.fromkeys(self.groups))
        if len(names) < 2:
            raise BadOption(
                "a lens needs samples of two groups or more, one to learn from and one to be held "
                f"to, and these are of {len(names)}; take more samples (--limit)"
            )
        learned = {*names[: min(max(round(share * len(names)), 1), len(names) - 1)]}
        here = [place for place, group in enumerate(self.groups) if group in learned]
        there = [place for place, group in enumerate(self.groups) if group not in learned]
        return self._take(here), self._take(there)

    def _take(self, places: Sequence[int]) -> "LensStates":
        return LensStates(
            layers=self.layers[:, places],
            final=self.final[places],
            groups=tuple(self.groups[place] for place in places),
        )


def collect(
    runner: BatchRunner,
    samples: Sequence[Sample],
    *,
    room: Room | None = None,
    bad: BadSamples | None = None,
    progress: Callable[[int, int], None] = ignore,
    stop: Callable[[], bool] = never,
) -> LensStates:
    """Run samples under all conditions and keep every layer's state at the last position.

    Parameters
    ----------
    runner
        Of the model; what it says of layers counts for nothing here.
    samples
        In the order of the benchmark.
    room
        How many of them, and sequences, at once; None begins with those of the runner.
    bad
        Takes up samples that cannot be run; they are left out.
    progress
        Called with samples done and in all.
    stop
        Asked before each batch.

    Raises
    ------
    Cancelled
        If `stop` said so.
    UnsupportedModel
        If no sample can be run.
    """
    import torch

    bad = BadSamples() if bad is None else bad
    stack = runner.loaded.stack
    # As the layers put them out: the norm comes behind the map that is to be learned.
    bare = replace(stack, lens=None, norm=torch.nn.Identity())
    layers: list[torch.Tensor] = []
    final: list[torch.Tensor] = []
    groups: list[str] = []

    def run(part: list[Sample], rows: int) -> None:
        batch = runner.encode(part, with_image=True)
        captured = merge(runner.loaded, batch, part, images=runner.images)
        found: list[tuple[torch.Tensor, torch.Tensor, list[str]]] = []
        for call in replace(runner, rows_per_pass=rows).calls(part, batch, captured):
            last = replay(
                bare, call.captured.embeddings, call.captured.arguments(), with_layers=True
            )
            assert last.layers is not None
            named = [part[index].group_id for index, _, _ in call.rows]
            found.append((last.layers[:-1].cpu(), last.hidden.cpu(), named))
        for inner, end, named in found:  # all of a part or nothing: it may come again
            layers.append(inner)
            final.append(end)
            groups.extend(named)

    def spared(part: Sequence[Sample], rows: int) -> int:
        if stop():
            raise Cancelled(f"stopped after {done} of {len(samples)} samples")
        bad.spare(part, lambda good: run(good, rows))
        return len(part)

    done = 0
    for count in (room or Room(runner.rows_per_pass)).parts(samples, spared):
        done += count
        progress(done, len(samples))
    bad.require_one_good(samples)
    return LensStates(layers=torch.cat(layers, 1), final=torch.cat(final), groups=tuple(groups))
