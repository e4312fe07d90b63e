"""BLIP-2 (Li et al. 2023) with Flan-T5: image and text are merged, and masked, for the encoder.

The encoder reads the end token behind the prompt, as in training.
"""

from dataclasses import replace

from model_runners.families import blip_2

FAMILY = replace(
    blip_2.FAMILY,
    name="BLIP-2 (T5)",
    model_type="blip-2_t5",
    stack="language_model.encoder",
    decoder="language_model.decoder",
    layers="block",
    chat_template=blip_2.CHAT_TEMPLATE.replace("' Answer:'", "' Answer:' + eos_token"),
)
