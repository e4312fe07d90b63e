"""InstructBLIP (Dai et al. 2023) with a decoder-only language model, Vicuna or Llama.

A Q-Former turns an image into 32 vectors while it reads the prompt, so masked text must be masked
there too, and an image is not the same vectors under another question. Checkpoints have no chat
template: the one here is the form in which the questions of its training were put.
"""

from model_runners.families import Family, ReadsText

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['content'] is string %}{% set parts = [{'type': 'text', 'text': "
    "message['content']}] %}{% else %}{% set parts = message['content'] %}{% endif %}"
    "{% if message['role'] == 'assistant' %}"
    "{% for part in parts %}{{ ' ' + part['text'] }}{% endfor %}"
    "{% else %}"
    "{% for part in parts %}{% if part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "{% if message['role'] == 'user' %}{{ 'Question: ' }}{% endif %}"
    "{% for part in parts %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}"
    "{% if message['role'] == 'user' %}{{ ' Short answer:' }}{% else %}{{ ' ' }}{% endif %}"
    "{% endif %}"
    "{% endfor %}"
)

FAMILY = Family(
    name="InstructBLIP",
    model_type="instructblip",
    stack="language_model.model",
    chat_template=CHAT_TEMPLATE,
    reads_text=ReadsText(
        words="qformer_input_ids", embedder="qformer.embeddings", tower="vision_model"
    ),
    without_image="language_model",
)
