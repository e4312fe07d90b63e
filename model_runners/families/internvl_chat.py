"""InternVL2, 2.5 and 3 as OpenGVLab publishes them, with code of their own that must be trusted.

The native "-hf" checkpoints (`internvl.py`) are the same models. The code here is told the
placeholder by the one who calls it, and takes its language model's tokens without an image.
"""

from model_runners.families import Family

FAMILY = Family(
    name="InternVL",
    model_type="internvl_chat",
    stack="language_model.model",
    processor="model_runners.processors_internvl",
    told_placeholder="img_context_token_id",
    without_image="language_model",
    chat_template=(
        "{% for message in messages %}"
        "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    ),
)
