"""PaliGemma and PaliGemma 2 (Beyer et al. 2024, Steiner et al. 2024): a prompt is read both ways.

Every token of the prompt sees every other one, and those of the answer only what is before them
(`token_type_ids`). Checkpoints have no chat template; the begin token behind the image and the line
end that asks for an answer are part of the one here. The decoder caps its logits in version 2.
"""

from model_runners.families import Family

FAMILY = Family(
    name="PaliGemma",
    model_type="paligemma",
    takes_encoder_outputs=True,
    stacks_features=True,
    chat_template=(
        "{% set ns = namespace(images='', words='') %}"
        "{% for message in messages if message['role'] != 'assistant' %}"
        "{% if message['content'] is string %}{% set ns.words = ns.words + message['content'] %}"
        "{% else %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}{% set ns.images = ns.images + '<image>' %}"
        "{% else %}{% set ns.words = ns.words + part['text'] %}{% endif %}"
        "{% endfor %}{% endif %}{% endfor %}"
        "{{ ns.images + bos_token + ns.words + '\n' }}"
        "{% for message in messages if message['role'] == 'assistant' %}"
        "{% if message['content'] is string %}{{ message['content'] }}"
        "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}"
        "{% endfor %}"
    ),
)
