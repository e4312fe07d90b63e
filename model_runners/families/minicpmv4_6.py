"""MiniCPM-V 4.6 (OpenBMB 2026): SigLIP2 tower that merges twice, slices, the decoder of Qwen3.5.

Patches of all images of a batch lie in one row, so none is kept for the next prompt.
"""

from model_runners.families import Family

FAMILY = Family(
    name="MiniCPM-V 4.6",
    model_type="minicpmv4_6",
)
