"""What replaces a masked modality, drawn as the other side draws it: same seeds, same bits."""

from __future__ import annotations

import hashlib
from typing import Any


def seed_of(*parts: object) -> int:
    """Return a 63-bit seed that depends on all parts and their order."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream_seed(stream: str, modality: str, seed: int, sample: Any, draw: int) -> int:
    """Seed of the noise of one stream of one sample: by the image's content, or the sample's id."""
    replaced = sample["digests"] if modality == "vision" else [sample["id"]]
    name = [] if stream == modality else [stream]
    return seed_of(modality, seed, *replaced, draw, *name)


def draw_noise(moments: Any, rows: int, seed: int) -> Any:
    """Return (rows, d) float32 noise on the CPU; `moments` is a pair of (d,) mean and deviation."""
    import torch

    mean, deviation = moments
    generator = torch.Generator().manual_seed(seed)
    return mean + torch.randn(rows, len(mean), generator=generator) * deviation


class RunningMoments:
    """Mean and variance of a stream of vectors in float64, merged by batch (Chan et al. 1979)."""

    def __init__(self) -> None:
        """Start empty."""
        self.count = 0
        self.mean: Any = None
        self.squares: Any = None

    def update(self, vectors: Any) -> None:
        """Add (n, d) vectors."""
        values = vectors.detach().cpu().double()
        count = len(values)
        if count == 0:
            return
        mean = values.mean(0)
        squares = ((values - mean) ** 2).sum(0)
        if self.count == 0:
            self.count, self.mean, self.squares = count, mean, squares
            return
        total = self.count + count
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total)
        self.squares = self.squares + squares + delta**2 * (self.count * count / total)
        self.count = total

    def finish(self) -> Any:
        """Return (d,) mean and standard deviation (n - 1), float32."""
        variance = self.squares / max(self.count - 1, 1)
        return self.mean.float(), variance.sqrt().float()
