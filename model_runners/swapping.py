"""Which question each image meets when images are swapped: a balanced design of alike samples."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from data_cache.runs import canonical_json, hash_text
from data_cache.samples import Sample
from model_runners.errors import BadOption
from pid_core.errors import PidError
from pid_core.swap_design import swap_design

Within = Literal["subset", "candidates", "benchmark"]
WITHIN: Mapping[Within, str] = {
    "subset": "the same subset, with as many options",
    "candidates": "the same options, word for word",
    "benchmark": "the whole benchmark, with as many options",
}
"""Who may be a partner; always of the same split."""
Probe = Literal["gaussian", "swap"]
PROBES: tuple[Probe, ...] = ("gaussian", "swap")
"""What takes a source away: noise in its place, or another sample's."""
PARTNERS = 8
"""Partners of each question, where nobody says: with the correction within 0.02 bits on the models
of docs/method.md, section 21."""
MOST_PARTNERS = 64


@dataclass(frozen=True, kw_only=True)
class Swaps:
    """Whom each image meets."""

    questions: Mapping[str, tuple[Sample, ...]]
    """By the sample that shows the image, the samples whose questions are asked about it, one for
    each round."""
    alone: tuple[Sample, ...]
    """Samples that stand among too few that are alike; they are asked nothing."""
    rounds: int
    widened: Callable[[int], "Swaps"]
    """Returns the same design with more rounds."""

    def pair(self, shown: Sample, draw: int) -> Sample:
        """Return the question of a round beside the image of a sample, under that sample's id."""
        asked = self.questions[shown.id][draw]
        return replace(asked, id=shown.id, images=shown.images, video=shown.video)


def stratum(
    within: Within, *, subset: str, split: str, options: Sequence[str]
) -> tuple[str | int, ...]:
    """Return what samples that may be partners share.

    >>> stratum("subset", subset="colour", split="test", options=["red", "blue"])
    ('test', 'colour', 2)
    """
    if within == "candidates":
        return (split, *options)
    return (split, subset, len(options)) if within == "subset" else (split, len(options))


def swaps_of(samples: Sequence[Sample], *, partners: int, within: Within, seed: int) -> Swaps:
    """Pair the images of samples with each other's questions.

    Parameters
    ----------
    samples
        All that a run asks for, in the benchmark's order; their order and number decide the design,
        more partners only add to it.
    partners
        M, rounds of the design.
    within
        Who may be a partner.
    seed
        Of the design.

    Raises
    ------
    BadOption
        If no sample has so many partners.
    """
    alike: dict[tuple[str | int, ...], list[Sample]] = defaultdict(list)
    for sample in samples:
        key = stratum(within, subset=sample.subset, split=sample.split, options=sample.options)
        alike[key].append(sample)
    questions: dict[str, list[Sample]] = defaultdict(list)
    alone: list[Sample] = []
    reason = ""
    for members in alike.values():
        shown = [tuple(image.digest for image in sample.images) for sample in members]
        try:
            design = swap_design(shown, partners, seed=seed)
        except PidError as error:
            alone += members
            reason = reason or str(error)
            continue
        for one_round in design.tolist():
            for asked, image in enumerate(one_round):
                questions[members[image].id].append(members[asked])
    if not questions:
        raise BadOption(
            f"no sample has {partners} partners among {WITHIN[within]}: "
            f"{reason or 'there are no samples'}; take more samples, fewer --partners, or another "
            "--partners-within"
        )
    return Swaps(
        questions={name: tuple(found) for name, found in questions.items()},
        alone=tuple(alone),
        rounds=partners,
        widened=lambda rounds: swaps_of(samples, partners=rounds, within=within, seed=seed),
    )


def digest_of(samples: Sequence[Sample]) -> str:
    """Return what names the samples of a design: another choice of samples is another design."""
    return hash_text(canonical_json([sample.id for sample in samples]), 16)
