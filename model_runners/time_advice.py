"""What to change so that a run takes less time: said only where its own measurement says so."""

from data_cache.run_times import RunTime
from model_runners.cost import passes_per_sample
from model_runners.stopwatch import PARTS

LARGE = 0.25
"""Share of the wall time from which on a part is worth a word."""
LITTLE = 1.0
"""Seconds below which nothing is worth a word."""
SETUP = ("loading", "testing", "statistics")


def shares(entry: RunTime) -> dict[str, float]:
    """Return each part's share of the wall time, `other` last; they add up to 1."""
    whole = max(entry.wall, sum(entry.parts.values()), 1e-9)
    found = {name: entry.parts[name] / whole for name in PARTS if name in entry.parts}
    return {**found, "other": max(1 - sum(found.values()), 0.0)}


def said(name: str) -> str:
    """Return what a part is, in words.

    >>> said("language")
    'text stack'
    """
    return PARTS.get(name, "everything else")


def advice(entry: RunTime) -> list[str]:
    """Return sentences about where the time went and what makes it less; none where it is little.

    Each begins with the measurement that it rests on.
    """
    if entry.wall < LITTLE:
        return []
    share = shares(entry)
    told: list[str] = []

    def large(*names: str, least: float = LARGE) -> float | None:
        of_all = sum(share.get(name, 0.0) for name in names)
        return of_all if of_all >= least else None

    if (setup := large(*SETUP, least=0.5)) is not None:
        told.append(
            f"{setup:.0%} of the time went by before the first sample: take more samples in one "
            "start (a larger --limit); the noise statistics are kept and cost nothing next time"
        )
    if (before := large("preprocessing", "waiting")) is not None:
        told.append(
            f"{before:.0%} of the time went to pre-processing: store the images nearer to the size "
            "that the model takes, set --image-size, or give the process more cores"
        )
    if (vision := large("vision")) is not None:
        encoded = entry.counts.get("images_encoded", 0)
        if encoded:
            told.append(
                f"{vision:.0%} of the time went to the vision encoder, for {encoded} images: "
                "PIDSCOPE_VISION_CACHE=always keeps them for the next run, whatever its template, "
                "draws or seed"
            )
    if (language := large("language", least=0.5)) is not None:
        told.append(_language(entry, language))
    if (masking := large("masking")) is not None:
        told.append(
            f"{masking:.0%} of the time went to drawing noise, {entry.draws} draws of it: it is "
            "drawn on the CPU so that every device gets the same, and more cores draw faster"
        )
    if (heads := large("heads")) is not None:
        told.append(
            f"{heads:.0%} of the time went to the language-model head: without --layers it reads "
            "one state per prompt"
        )
    if (writing := large("writing", "ingest")) is not None:
        told.append(
            f"{writing:.0%} of the time went to writing: put the cache (--cache) on a faster disk"
        )
    return told


def _language(entry: RunTime, share: float) -> str:
    sentence = f"{share:.0%} of the time went to the text stack"
    passes = passes_per_sample(entry.draws)
    fewer = [
        f"{passes} passes a sample, of which --draws 1 leaves {passes_per_sample(1)} and with them "
        "no error of the noise"
    ] * (entry.draws > 1)
    positions = entry.counts.get("positions", 0)
    padding = entry.counts.get("padding", 0) / positions if positions else 0.0
    if padding >= 0.1:
        fewer.append(
            f"{padding:.0%} of its positions were padding, which a smaller --batch-size lessens"
        )
    return f"{sentence}: {'; '.join(fewer)}" if fewer else f"{sentence}, in one draw of noise"
