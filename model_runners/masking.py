"""Calibrated Gaussian masking: what replaces the embeddings of a masked modality.

Every vector of the masked modality becomes a draw from N(mu, diag(sigma^2)), with mean and variance
per dimension over the train split (Xiu26 section 3.2; MI26 section 2.3). Draws are seeded by what
they replace, never by when: text noise by (seed, sample id, draw), vision noise by (seed, image
content, draw), so neither batch size, nor device count, nor a resumed run changes them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.samples import Sample

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Mean and standard deviation per dimension of one modality's embeddings."""

    mean: "torch.Tensor"
    """(d,) float32."""
    std: "torch.Tensor"
    """(d,) float32."""
    count: int
    """Vectors they were computed from."""


class RunningMoments:
    """Mean and variance of a stream of vectors in float64, merged by batch (Chan et al. 1979)."""

    def __init__(self) -> None:
        """Start empty."""
        self.count = 0
        self.mean: torch.Tensor | None = None
        self.squares: torch.Tensor | None = None

    def update(self, vectors: "torch.Tensor") -> None:
        """Add (n, d) vectors."""
        values = vectors.detach().double().cpu()
        count = len(values)
        if count == 0:
            return
        mean = values.mean(0)
        squares = ((values - mean) ** 2).sum(0)
        if self.mean is None or self.squares is None:
            self.count, self.mean, self.squares = count, mean, squares
            return
        total = self.count + count
        delta = mean - self.mean
        self.mean = self.mean + delta * (count / total)
        self.squares = self.squares + squares + delta**2 * (self.count * count / total)
        self.count = total

    def finish(self) -> Moments:
        """Return the moments; sigma uses n - 1."""
        if self.mean is None or self.squares is None:
            raise ValueError("no vectors were seen")
        variance = self.squares / max(self.count - 1, 1)
        return Moments(mean=self.mean.float(), std=variance.sqrt().float(), count=self.count)


@dataclass(frozen=True, kw_only=True)
class NoiseStatistics:
    """The noise of both modalities for one model, benchmark and mask scope."""

    vision: Moments
    text: Moments

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of the exact values; kept with a run as provenance."""
        digest = hashlib.sha256()
        for moments in (self.vision, self.text):
            for values in (moments.mean, moments.std):
                digest.update(values.numpy().tobytes())
            digest.update(str(moments.count).encode())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the statistics as safetensors, atomically."""
        import os

        import torch
        from safetensors.torch import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{name}.{part}": value
            for name, moments in (("vision", self.vision), ("text", self.text))
            for part, value in (
                ("mean", moments.mean),
                ("std", moments.std),
                ("count", torch.tensor(moments.count)),
            )
        }
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        save_file(tensors, temporary)
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> "NoiseStatistics":
        """Read what `save` wrote."""
        from safetensors.torch import load_file

        tensors = load_file(path)

        def moments(name: str) -> Moments:
            return Moments(
                mean=tensors[f"{name}.mean"],
                std=tensors[f"{name}.std"],
                count=int(tensors[f"{name}.count"]),
            )

        return cls(vision=moments("vision"), text=moments("text"))


def seed_of(*parts: object) -> int:
    """Return a 63-bit seed that depends on all parts and their order."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def draw_noise(moments: Moments, rows: int, seed: int) -> "torch.Tensor":
    """Return (rows, d) float32 noise; the same seed gives the same bits on every device."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(rows, len(moments.mean), generator=generator)
    return moments.mean + noise * moments.std


def text_seed(seed: int, sample: Sample, draw: int) -> int:
    """Seed of a sample's text noise."""
    return seed_of("text", seed, sample.id, draw)


def vision_seed(seed: int, sample: Sample, draw: int) -> int:
    """Seed of a sample's vision noise: questions about one image share it."""
    return seed_of("vision", seed, *(image.digest for image in sample.images), draw)


@dataclass(frozen=True, kw_only=True)
class Masker:
    """Replaces the embeddings of a batch's samples by their own noise."""

    statistics: NoiseStatistics
    seed: int

    def mask(
        self,
        embeddings: "torch.Tensor",
        samples: Sequence[Sample],
        *,
        vision: "torch.Tensor | None",
        text: "torch.Tensor | None",
        draw: int,
    ) -> "torch.Tensor":
        """Return a copy of (B, L, d) embeddings with the given positions replaced.

        Parameters
        ----------
        embeddings
            One row per sample.
        samples
            B samples.
        vision, text
            (B, L) bool positions to mask, or None to keep that modality.
        draw
            Which draw of the noise.
        """
        edited = embeddings.clone()
        for row, sample in enumerate(samples):
            for positions, moments, seed in (
                (vision, self.statistics.vision, vision_seed),
                (text, self.statistics.text, text_seed),
            ):
                if positions is None:
                    continue
                count = int(positions[row].sum())
                if count:
                    noise = draw_noise(moments, count, seed(self.seed, sample, draw))
                    edited[row, positions[row]] = noise.to(edited)
        return edited
