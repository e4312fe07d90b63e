"""Gemma 4 (Gemma Team 2026): each layer of the text stack reads the words once more.

A second table of embeddings hands every layer a vector for each token (`per_layer_inputs`), so
noise at the embeddings alone leaves the whole text readable. The logits are capped.
"""

from model_runners.families import Family

FAMILY = Family(
    name="Gemma 4",
    model_type="gemma4",
)
