"""The images of an opened sample: small at once, in full size when that is asked for."""

import hashlib
import io
from pathlib import Path

import PIL.Image
import streamlit as st

from data_cache.errors import BenchmarkError
from data_cache.image_store import original
from data_cache.queries import StoredSample
from data_cache.thumbnails import THUMBNAIL_SIDE, as_shown
from pages.widgets import state
from pages.widgets.pictures import show_picture
from pages.widgets.stored import Stored


def show_images(sample: StoredSample, reading: Stored) -> None:
    """Show the images of a sample; paths of videos and sounds are shown as text."""
    pictures = st.container()
    larger = not sample.video and any(map(may_be_larger, sample.images, sample.thumbnails))
    is_whole = larger and st.toggle(
        "Full size",
        key=state.FULL_SIZE,
        help="The images as the benchmark has them, where they are still on this machine.",
    )
    with pictures, st.container(horizontal=not is_whole):
        count = len(sample.images)
        for number, (digest, small) in enumerate(
            zip(sample.images, sample.thumbnails, strict=True), start=1
        ):
            alt = f"Image {number} of {count}"
            if is_whole and may_be_larger(digest, small):
                _show_original(reading.cache, digest, small, alt)
            elif small is None:
                st.text(f"{alt} could not be read.")
            else:
                show_picture(small, side=THUMBNAIL_SIDE, alt=alt)
    if not sample.images:
        st.text(
            "The imported file has no image of this sample."
            if "imported" in sample.meta
            else "This sample has no image."
        )
    for kind, path in (("Frames of the video", sample.video), ("Sound", sample.audio)):
        if path is not None:
            st.text(f"{kind} {path}")


def may_be_larger(digest: str, small: bytes | None) -> bool:
    """Whether the image may hold more than its thumbnail shows.

    Parameters
    ----------
    digest
        Of the image.
    small
        The thumbnail; images of less than its largest size are never made smaller.
    """
    if small is None or hashlib.sha256(small).hexdigest() == digest:
        return False
    try:
        with PIL.Image.open(io.BytesIO(small)) as image:
            return max(image.size) >= THUMBNAIL_SIDE
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return False


def _show_original(cache: Path, digest: str, small: bytes | None, alt: str) -> None:
    raw = original(cache, digest)
    if raw is not None:
        try:
            st.image(as_shown(raw, alt), alt=alt)
        except BenchmarkError as error:
            st.text(str(error))
        else:
            return
    else:
        st.text(
            f"{alt}: only this small picture is here. The original is not on this machine, or has "
            "changed since the benchmark was read."
        )
    show_picture(small, side=THUMBNAIL_SIDE, alt=alt)
