"""InstructBLIP (Dai et al. 2023) with Flan-T5: as with Vicuna, but the language model is in halves.

Image and text are merged, and masked, where the encoder reads them; the answer is what the decoder
says at its first position, and its layers are those of the lens.
"""

from dataclasses import replace

from model_runners.families import instructblip

FAMILY = replace(
    instructblip.FAMILY,
    name="InstructBLIP (T5)",
    model_type="instructblip_t5",
    stack="language_model.encoder",
    decoder="language_model.decoder",
    layers="block",
    norm="final_layer_norm",
)
