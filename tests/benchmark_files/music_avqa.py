"""MUSIC-AVQA: lists of objects with JSON inside JSON, and the videos that they are about.

Made-up questions about three drawn videos of 8 frames each, a colour of growing brightness. One
question for each kind of answer. Oddities: `anser`; `type` and `templ_values` are texts that hold
JSON; a full-width question mark; a template with a blank at its end; a question that its authors
took back; instruments with an underscore; a video with letters before its number, in another
folder.
"""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image

from tests.benchmark_files.expected import Expected

FRAMES = 8
FIRST, SECOND, MADE = "00000011", "00000012", "va00000013"
COLOURS = {FIRST: (1, 0, 0), SECOND: (0, 1, 0), MADE: (0, 0, 1)}
"""Which channel of the colour grows from frame to frame."""

# video_id, question_id, type, template, values, answer
Fields = tuple[str, int, tuple[str, str], str, tuple[str, ...], str]
ROWS: tuple[Fields, ...] = (
    (FIRST, 101, ("Audio-Visual", "Location"), "Is the <FL> sound coming from the <LR> instrument?",
     ("first", "left"), "yes"),
    (FIRST, 102, ("Audio-Visual", "Counting"), "How many sounding <Object> in the video\uff1f",
     ("electric_bass",), "more than ten"),
    (FIRST, 103, ("Visual", "Location"), "Where is the performance?", (), "outdoor"),
    (SECOND, 104, ("Audio-Visual", "Temporal"), "Where is the <FL> sounding instrument?",
     ("last",), "middle"),
    (SECOND, 105, ("Audio-Visual", "Temporal"), "Which <Object> makes the sound <FL>?",
     ("cello", "first"), "simultaneously"),
    (SECOND, 106, ("Visual", "Location"), "What kind of instrument is the <LRer> instrument? ",
     ("rightest",), "acoustic_guitar"),
    (MADE, 107, ("Audio", "Comparative"), "Is the <Object> louder than the <Object>?",
     ("acoustic_guitar", "drum"), "no"),
    (MADE, 108, ("Audio", "Counting"), "How many musical instruments were heard?", (), "two"),
)  # fmt: skip
TAKEN_BACK = 108

SIDES = ("left", "middle", "right")
COUNTS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    "more than ten",
)
INSTRUMENTS = (
    *("accordion", "acoustic guitar", "bagpipe", "banjo", "bassoon", "cello", "clarinet", "congas"),
    *("drum", "electric bass", "erhu", "flute", "guzheng", "piano", "pipa", "saxophone", "suona"),
    *("trumpet", "tuba", "ukulele", "violin", "xylophone"),
)

EXPECTED = Expected(
    rows=8,
    samples=7,
    questions=3,
    options={
        "101": ("yes", "no"),
        "102": COUNTS,
        "103": ("indoor", "outdoor"),
        "104": SIDES,
        "105": (*SIDES, "simultaneously"),
        "106": INSTRUMENTS,
        "107": ("yes", "no"),
    },
    answers={"101": 0, "102": 11, "103": 1, "104": 1, "105": 3, "106": 1, "107": 1},
    groups={
        **{"101": FIRST, "102": FIRST, "103": FIRST},
        **{"104": SECOND, "105": SECOND, "106": SECOND, "107": MADE},
    },
    texts={
        "101": "Is the first sound coming from the left instrument?",
        "102": "How many sounding electric bass in the video?",
        "105": "Which cello makes the sound first?",
        "106": "What kind of instrument is the rightest instrument?",
        "107": "Is the acoustic guitar louder than the drum?",
    },
    subsets={
        "101": "Audio-Visual",
        "102": "Audio-Visual",
        "103": "Visual",
        "104": "Audio-Visual",
        "105": "Audio-Visual",
        "106": "Visual",
        "107": "Audio",
    },
    meta={
        "101": {
            "question_type": "Location",
            "template": "Is the <FL> sound coming from the <LR> instrument?",
            "synthetic": None,
        },
        "107": {"question_type": "Comparative", "synthetic": "va"},
    },
    left_out={"taken back by its authors": 1},
)


def write_video(path: Path, channels: tuple[int, int, int]) -> None:
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(FRAMES):
            colour = np.array(channels) * (60 + 20 * number)
            picture = np.broadcast_to(colour.astype(np.uint8), (48, 64, 3))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def channel_of(raw: bytes) -> tuple[str, int]:
    """The video that a frame's colour tells, and which of its frames is nearest."""
    pixels = np.asarray(PIL.Image.open(io.BytesIO(raw)).convert("RGB"), dtype=float)
    strongest = int(pixels[20, 30].argmax())
    return list(COLOURS)[strongest], round((pixels[20, 30, strongest] - 60) / 20)


def records() -> list[dict[str, Any]]:
    return [
        {
            "video_id": video,
            "question_id": number,
            "type": json.dumps(kinds),
            "question_content": template,
            "templ_values": json.dumps(values),
            "question_deleted": int(number == TAKEN_BACK),
            "anser": answer,
        }
        for video, number, kinds, template, values, answer in ROWS
    ]


def write(folder: Path) -> Path:
    """As a clone of the repository with the unpacked videos beside the folder of the questions."""
    path = folder / "data" / "json_update" / "avqa-test.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(records(), indent=2), "utf-8")
    older = folder / "data" / "json" / "avqa-test.json"
    older.parent.mkdir(parents=True)
    older.write_text(json.dumps(records()[:1]), "utf-8")
    for name, channels in COLOURS.items():
        kind = "Synthetic" if name == MADE else "Real"
        write_video(folder / f"MUSIC-AVQA-videos-{kind}" / f"{name}.mp4", channels)
    return folder
