"""Small images, large enough to see and with sharp pixels."""

import io

import PIL.Image
import streamlit as st

SMALL_SIDE = 96
"""Pixels; images whose longer side is no longer are enlarged."""


@st.cache_data(max_entries=256, show_spinner=False)
def enlarged(data: bytes, side: int) -> bytes | None:
    """Enlarge a small image by whole pixels to at most `side`; None where it is no image.

    Larger images come back as they are.
    """
    try:
        with PIL.Image.open(io.BytesIO(data)) as image:
            longest = max(image.size)
            factor = side // longest
            if longest > SMALL_SIDE or factor < 2:
                image.verify()
                return data
            size = (image.width * factor, image.height * factor)
            large = image.convert("RGBA" if "A" in image.getbands() else "RGB").resize(
                size, PIL.Image.Resampling.NEAREST
            )
    except (OSError, ValueError, SyntaxError, PIL.Image.DecompressionBombError):
        return None
    buffer = io.BytesIO()
    large.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def show_picture(data: bytes | None, *, side: int, alt: str) -> None:
    """Show an image of at most `side` pixels, or say that there is none."""
    if data is None:
        st.text("no image")
        return
    large = enlarged(data, side)
    if large is None:
        st.text("this image cannot be read")
        return
    st.image(large, width=side, alt=alt)
