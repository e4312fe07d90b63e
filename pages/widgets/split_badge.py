"""Which split a sample belongs to, as a badge."""

import streamlit as st

from data_cache.samples import SPLITS


def show_split(split: str) -> None:
    """Show the split of a sample; a training may take samples of the train split alone."""
    if split in SPLITS:  # a badge renders Markdown, and knows no other text than these
        st.badge(split, color="blue" if split == "train" else "gray")
