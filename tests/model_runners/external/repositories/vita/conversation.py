from shape import Conversation

conv_templates = {"qwen2p5_instruct": Conversation("Questions about pictures.\n")}
