"""Llama-3.2-Vision (Meta 2024): the image is read by cross-attention and is nowhere in the prompt.

The prompt holds one placeholder for an image of up to four tiles. Its vectors reach the text stack
as `cross_attention_states`, which is where they are masked, pooled and counted; what a layer holds
of the image is what its placeholder has read. A prompt without an image leaves the layers of
cross-attention out; the lens repeats the layer below there.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Llama-3.2-Vision",
    model_type="mllama",
)
