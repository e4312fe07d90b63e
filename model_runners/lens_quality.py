"""Whether a lens reads anything of a model's layers: the rule, and the sentence where it does not.

Xiu26 leave Qwen2.5-VL-7B and InternVL3-8B out of their layers, since the logit lens "does not yield
meaningful intermediate predictions" there, and name no rule. Ours asks whether any layer of the
first 80 % of the depth is read at all: behind that lies late fusion alone (MI26), so that no phase
before it can be told, and atoms near zero are the lens' and not the model's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_cache.location import command
from data_cache.records import SpectrumRecord
from model_runners.benchmark_choice import arguments_of
from model_runners.lens_options import lens_verb

if TYPE_CHECKING:
    from data_cache.queries import RunRow

OFTEN = 0.90
"""Share of samples fallen back to uniform above which a layer's atoms say nothing."""
BEFORE = 0.8
"""Share of the depth of which at least one layer must be read."""


@dataclass(frozen=True, kw_only=True)
class LensQuality:
    """What of a model's layers a lens reads."""

    unread: tuple[int, ...]
    """Layers in which more than `OFTEN` of the samples put less than tau on the options, although
    they were run in full."""
    depth: int
    """Layers of the model."""

    @property
    def is_meaningful(self) -> bool:
        """Whether a layer of the first `BEFORE` of the depth is read, or there is none so early."""
        early = [layer for layer in range(self.depth) if (layer + 1) <= BEFORE * self.depth]
        return not early or not set(early) <= set(self.unread)


def lens_quality(layers: Sequence[SpectrumRecord], depth: int) -> LensQuality:
    """Say which layers are read, by the fall-back rates of the full run.

    Parameters
    ----------
    layers
        Spectra of layers of one run and subset; the model's own output (-1) counts for nothing.
    depth
        Layers of the model. One without a spectrum counts as read.

    >>> LensQuality(unread=(0, 1, 2), depth=4).is_meaningful
    False
    >>> LensQuality(unread=(0, 1), depth=4).is_meaningful
    True
    """
    return LensQuality(
        unread=tuple(
            sorted(
                record.layer
                for record in layers
                if record.layer >= 0 and record.fallback_rate.get("full", 0.0) > OFTEN
            )
        ),
        depth=depth,
    )


def lens_of(settings: Mapping[str, Any]) -> str:
    """Return through which lens an estimate's layers were read: `logit`, or `tuned` and a key.

    >>> lens_of({"tau": 0.3}), lens_of({"lens": "tuned 1a2b3c"})
    ('logit', 'tuned 1a2b3c')
    """
    return str(settings.get("lens", "logit"))


def judged(layers: Sequence[SpectrumRecord], depth: int) -> str:
    """Return a sentence about a lens that reads nothing before the end; empty where it does.

    Parameters
    ----------
    layers
        Spectra of the layers of a run, of one subset; those of its own output count for nothing.
    depth
        Layers of the model.
    """
    inner = [record for record in layers if record.layer >= 0]
    if not inner or lens_quality(inner, depth).is_meaningful:
        return ""
    first = inner[0]
    return (
        f"The {lens_of(first.settings).split()[0]} lens reads no answer in the first {BEFORE:.0%} "
        f"of the layers of {first.model}: in each, more than {OFTEN:.0%} of the samples put less "
        f"than {first.settings.get('tau', 0.3):g} on the options although they were run in full, "
        "so atoms near zero there are the lens', not the model's."
    )


def remark(layers: Sequence[SpectrumRecord], run: "RunRow", cache: Path) -> str:
    """Return that sentence and what to do about it, for the command line; empty as above.

    Parameters
    ----------
    layers
        As above.
    run
        The run.
    cache
        Where the lens is to be kept.
    """
    said = judged(layers, max(run.layers, default=-1) + 1)
    if not said:
        return ""
    if "lens" in run.config:
        return f"{said} A lens trained on more samples may read more."
    asked = arguments_of(run.benchmark, run.environment)
    return f"{said} Train a tuned lens: {command(lens_verb(run.model, run.config, asked), cache)}"
