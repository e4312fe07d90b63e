"""LLaVA-OneVision (Li et al. 2024): SigLIP tower, tiles as in LLaVA-NeXT, Qwen2 decoder.

Several images in one prompt are each seen whole and without tiles, so what an image becomes depends
on its prompt and is not kept for the next one.
"""

from model_runners.families import Family

FAMILY = Family(
    name="LLaVA-OneVision",
    model_type="llava_onevision",
)
