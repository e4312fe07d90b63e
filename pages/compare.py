"""The Compare page: two models side by side, and the samples on which they disagree."""

import streamlit as st

st.title("Compare", anchor=False)
