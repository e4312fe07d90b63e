"""The encoded originals of a stored sample's images, wherever on this machine they still are."""

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from data_cache.benchmarks import BENCHMARKS, load_benchmark
from data_cache.errors import BenchmarkError
from data_cache.image_store import known_digest, original
from data_cache.images import ImageFile, MediaFile, VideoFrame
from data_cache.queries import StoredSample
from data_cache.samples import Sample


class Originals:
    """The originals of one benchmark's images; what was found out once is not asked again."""

    def __init__(self, cache: Path, benchmark: str, benchmark_key: str):
        """Prepare; nothing is read yet.

        Parameters
        ----------
        cache
            The cache folder.
        benchmark, benchmark_key
            What runs call the benchmark, and its key.
        """
        self._cache = cache
        self._benchmark, self._key = benchmark, benchmark_key
        self._videos: dict[str, str | None] = {}

    def of(self, sample: StoredSample) -> tuple[bytes | None, ...]:
        """Return each image of a sample as it was encoded, None where that is not here.

        A thumbnail counts only where it is the original, to the byte.
        """
        made = self._made.get(sample.sample_id)
        if made is not None:
            return tuple(image.read() for image in made.images)
        return tuple(self._one(sample, place) for place in range(len(sample.images)))

    def _one(self, sample: StoredSample, place: int) -> bytes | None:
        digest, small = sample.images[place], sample.thumbnails[place]
        if small is not None and hashlib.sha256(small).hexdigest() == digest:
            return small
        if sample.video is not None:
            return self._frame(sample.video, place, len(sample.images), digest)
        return original(self._cache, digest)

    def _frame(self, video: str, index: int, count: int, digest: str) -> bytes | None:
        path = Path(video)
        if video not in self._videos:
            self._videos[video] = known_digest(self._cache, path)
        known = self._videos[video]
        if known is None:
            return None
        frame = VideoFrame(video=MediaFile(path=path, digest=known), index=index, count=count)
        image = ImageFile(frame=frame)
        if image.digest != digest:
            return None
        try:
            return image.read()
        except BenchmarkError:
            return None

    @cached_property
    def _made(self) -> Mapping[str, Sample]:
        """The samples of a benchmark that PIDscope makes by itself, if this is one."""
        entry = BENCHMARKS.get(self._benchmark)
        if entry is None or not entry.built_in:
            return {}
        benchmark = load_benchmark(self._benchmark)
        if benchmark.key != self._key:  # an earlier PIDscope made another one
            return {}
        return {sample.id: sample for sample in benchmark.samples}
