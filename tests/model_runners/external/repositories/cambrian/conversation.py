from shape import Conversation

conv_templates = {"vicuna_v1": Conversation("Questions about pictures.\n")}
