"""BLIP-2 (Li et al. 2023) with a decoder-only language model, OPT.

A Q-Former turns an image into 32 vectors without reading the prompt, in front of the begin token.
Checkpoints have no chat template: the one here is the form that the paper asks questions in.
"""

from model_runners.families import Family

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['content'] is string %}{% set parts = [{'type': 'text', 'text': "
    "message['content']}] %}{% else %}{% set parts = message['content'] %}{% endif %}"
    "{% if message['role'] == 'assistant' %}"
    "{% for part in parts %}{{ ' ' + part['text'] }}{% endfor %}"
    "{% else %}"
    "{% for part in parts %}{% if part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "{% if loop.first %}{{ bos_token }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ 'Question: ' }}{% endif %}"
    "{% for part in parts %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% if message['role'] == 'user' %}{{ ' Answer:' }}{% else %}{{ ' ' }}{% endif %}"
    "{% endif %}"
    "{% endfor %}"
)

FAMILY = Family(
    name="BLIP-2",
    model_type="blip-2",
    stack="language_model.model.decoder",
    norm="final_layer_norm",
    chat_template=CHAT_TEMPLATE,
    without_image="language_model",
)
