"""Calibrated Gaussian masking: what replaces the embeddings of a masked modality.

Every vector of the masked modality becomes a draw from N(mu, diag(sigma^2)), with mean and variance
per dimension over the train split (Xiu26 section 3.2; MI26 section 2.3). Draws are seeded by what
they replace, never by when: text noise by (seed, sample id, draw), vision noise by (seed, image
content, draw), that of a side channel by its name as well, so neither batch size, nor device count,
nor a resumed run changes them.
"""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_cache.samples import Sample
from model_runners.channels import READ_TEXT, Modality, SideStream
from model_runners.errors import UnsupportedModel
from model_runners.stack import Captured, take

if TYPE_CHECKING:
    import torch

    from model_runners.encoding import EncodedBatch

MANY_VALUES = 2**22
"""Numbers in the rows of a replay from which on their noise is drawn by several threads. A draw
comes from one generator and so from one core: 4 million numbers take 40 ms, and the image of one
row of a 7B model is that large. Each row has its own seeds, so threads change no bit."""
DEVICE_VECTORS = 2**13
"""Vectors whose moments a GPU computes at once: in float64 those of a 7B model take 0.3 GB."""
DRAWERS = 8
"""Threads at most."""


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
        """Add (n, d) vectors; the work is done where they are."""
        if vectors.is_cuda:
            for part in vectors.split(DEVICE_VECTORS):
                self._add(part)
        else:
            self._add(vectors)

    def _add(self, vectors: "torch.Tensor") -> None:
        values = vectors.detach().double()
        count = len(values)
        if count == 0:
            return
        mean = values.mean(0)
        squares = ((values - mean) ** 2).sum(0).cpu()
        mean = mean.cpu()
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
    """The noise of every stream for one model, benchmark and mask scope."""

    vision: Moments
    text: Moments
    side: dict[str, Moments] = field(default_factory=dict)
    """Of the side channels, by the name of their stream (`channels.py`)."""

    @property
    def streams(self) -> dict[str, Moments]:
        """The moments of every stream by name."""
        return {"vision": self.vision, "text": self.text, **dict(sorted(self.side.items()))}

    def of(self, stream: str) -> Moments:
        """Return the moments of a stream.

        Raises
        ------
        UnsupportedModel
            If the statistics were taken over another model's streams.
        """
        found = self.streams.get(stream)
        if found is None:
            raise UnsupportedModel(
                f"there are no noise statistics for {stream}, only for {', '.join(self.streams)}; "
                "delete them in the cache folder's statistics/ to have them taken again"
            )
        return found

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of the exact values; kept with a run as provenance."""
        digest = hashlib.sha256()
        for name, moments in self.streams.items():
            if name in self.side:
                digest.update(name.encode())
            for values in (moments.mean, moments.std):
                digest.update(values.numpy().tobytes())
            digest.update(str(moments.count).encode())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the statistics as safetensors, atomically."""
        import torch
        from safetensors.torch import save_file

        path.parent.mkdir(parents=True, exist_ok=True)
        tensors = {
            f"{name}.{part}": value
            for name, moments in self.streams.items()
            for part, value in (
                ("mean", moments.mean),
                ("std", moments.std),
                ("count", torch.tensor(moments.count)),
            )
        }
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        save_file(tensors, temporary, metadata={"digest": self.digest})
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: Path) -> "NoiseStatistics":
        """Read what `save` wrote.

        Raises
        ------
        ValueError
            If the file is damaged; those from before November 2026 carry no digest to tell by.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "pt") as file:
                told = (file.metadata() or {}).get("digest")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found = cls._of(tensors)
        except (SafetensorError, OSError, KeyError, RuntimeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if told is not None and told != found.digest:
            raise ValueError(f"{path} is damaged: its values are not those that were written")
        return found

    @classmethod
    def _of(cls, tensors: "dict[str, torch.Tensor]") -> "NoiseStatistics":
        streams = {
            name: Moments(
                mean=tensors[f"{name}.mean"],
                std=tensors[f"{name}.std"],
                count=int(tensors[f"{name}.count"]),
            )
            for name in {key.rpartition(".")[0] for key in tensors}
        }
        return cls(vision=streams.pop("vision"), text=streams.pop("text"), side=streams)


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
    return seed_of("vision", seed, *_replaced(sample), draw)


def _replaced(sample: Sample) -> list[str]:
    """Return what identifies the content of source 1: of its images, or of its sound alone."""
    if not sample.images and sample.audio is not None:
        return [sample.audio.digest]
    return [image.digest for image in sample.images]


def stream_seed(stream: str, modality: Modality, seed: int, sample: Sample, draw: int) -> int:
    """Seed of the noise of one stream of one sample."""
    if stream == modality:
        return (vision_seed if modality == "vision" else text_seed)(seed, sample, draw)
    replaced = _replaced(sample) if modality == "vision" else [sample.id]
    return seed_of(modality, seed, *replaced, draw, stream)


@dataclass(frozen=True, kw_only=True)
class MaskedRow:
    """One row of a replay: a sample of the batch, and which of its modalities become noise."""

    index: int
    """Of the sample in its batch."""
    vision: bool = False
    text: bool = False
    draw: int = 0
    """Which draw of the noise."""


@dataclass(frozen=True, kw_only=True)
class Masker:
    """Replaces the embeddings of a batch's samples by their own noise."""

    statistics: NoiseStatistics
    seed: int

    def noise(
        self, stream: str, modality: Modality, sample: Sample, count: int, draw: int
    ) -> "torch.Tensor":
        """Return (count, d) float32 noise for one stream of one sample."""
        return draw_noise(
            self.statistics.of(stream),
            count,
            stream_seed(stream, modality, self.seed, sample, draw),
        )

    def masked(
        self,
        captured: Captured,
        batch: "EncodedBatch",
        samples: Sequence[Sample],
        rows: Sequence[MaskedRow],
    ) -> Captured:
        """Return the call of R rows with what each hides replaced, side channels included.

        Parameters
        ----------
        captured
            The merged call of B samples.
        batch
            Their encoding, which knows the positions.
        samples
            B samples.
        rows
            R rows; several may be of one sample.
        """
        taken = take(captured, [row.index for row in rows])
        side = {name: list(stream.vectors) for name, stream in taken.side.items()}

        def mask(place: int) -> None:
            row = rows[place]
            sample = samples[row.index]
            hidden: list[tuple[Modality, torch.Tensor]] = []
            if row.vision:
                hidden.append(("vision", batch.vision[row.index]))
            if row.text:
                hidden.append(("text", batch.text[row.index]))
            for modality, positions in hidden:
                count = int(positions.sum())
                if count and modality not in taken.side:
                    noise = self.noise(modality, modality, sample, count, row.draw)
                    taken.embeddings[place, positions] = noise.to(taken.embeddings)
                for name, stream in taken.side.items():
                    if stream.modality == modality:
                        side[name][place] = self._masked_vectors(
                            name, stream, place, positions, sample, row.draw
                        )

        values = taken.embeddings.numel() + sum(v.numel() for vs in side.values() for v in vs)
        if values < MANY_VALUES:
            for place in range(len(rows)):
                mask(place)
        else:
            with ThreadPoolExecutor(min(DRAWERS, os.cpu_count() or 1)) as pool:
                list(pool.map(mask, range(len(rows))))
        self._read_anew(captured, batch, rows, taken, side)
        return replace(
            taken,
            side={
                name: stream.of(side[name], stream.content) for name, stream in taken.side.items()
            },
        )

    @staticmethod
    def _read_anew(
        captured: Captured,
        batch: "EncodedBatch",
        rows: Sequence[MaskedRow],
        taken: Captured,
        side: "dict[str, list[torch.Tensor]]",
    ) -> None:
        """Encode the images of rows without text again, where their encoder reads the prompt."""
        places = [place for place, row in enumerate(rows) if row.text and not row.vision]
        if captured.reread is None or not places:
            return
        # As many at a time as were merged at once: more might not fit the device.
        step = len(captured.embeddings)
        for start in range(0, len(places), step):
            part = places[start : start + step]
            indices = [rows[place].index for place in part]
            embeddings = captured.reread(indices, [side[READ_TEXT][place] for place in part])
            for place, index, anew in zip(part, indices, embeddings, strict=True):
                where = batch.vision[index]
                taken.embeddings[place, where] = anew[where]

    def _masked_vectors(
        self,
        name: str,
        stream: SideStream,
        place: int,
        positions: "torch.Tensor",
        sample: Sample,
        draw: int,
    ) -> "torch.Tensor":
        held = stream.contents(place, positions)
        vectors = stream.vectors[place]
        noise = self.noise(name, stream.modality, sample, int(held.sum()), draw)
        edited = (
            vectors.clone()
            if stream.at_positions or stream.keeps_rest
            else self.statistics.of(name).mean.to(vectors).repeat(len(vectors), 1)
        )
        edited[held] = noise.to(vectors)
        return edited
