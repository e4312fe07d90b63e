"""Which two parts of a prompt are the sources of a run, and what else of a sample is shown.

Everywhere else source 1 is called vision and source 2 text, after the usual pair. In a sensory run
(MI26) they are video and sound, and the text is the condition: it stays readable in every run.
"""

from dataclasses import dataclass
from typing import Literal

from model_runners.errors import BadOption

SourcesName = Literal["vision-language", "video-audio", "video-language", "audio-language"]
Medium = Literal["video", "audio"]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Two sources, and how a prompt shows them."""

    first: str
    """What people call source 1."""
    second: str
    media: tuple[Medium, ...] = ()
    """What stands before the text of a prompt, in this order; empty where that is images."""

    @property
    def second_medium(self) -> Medium | None:
        """The medium that is source 2; None where that is the text."""
        return self.media[1] if len(self.media) > 1 else None


USUAL_SOURCES: SourcesName = "vision-language"
SOURCES: dict[SourcesName, Sources] = {
    USUAL_SOURCES: Sources(first="image", second="text"),
    "video-audio": Sources(first="video", second="audio", media=("video", "audio")),
    "video-language": Sources(first="video", second="text", media=("video",)),
    "audio-language": Sources(first="audio", second="text", media=("audio",)),
}
INPUTS: dict[Medium, str] = {"video": "pixel_values_videos", "audio": "input_features"}
"""The model input that carries the content of a medium."""
SEEN: frozenset[Medium] = frozenset({"video"})
"""Media whose positions have rows and columns."""


def sources_of(name: str) -> Sources:
    """Return a pair of sources by its name.

    Raises
    ------
    BadOption
        If there is no such pair.
    """
    for known, sources in SOURCES.items():
        if known == name:
            return sources
    raise BadOption(f"sources must be one of {', '.join(SOURCES)}, not {name!r}")
