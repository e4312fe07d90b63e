"""The far side of the external worker: runs in an environment of its own, beside old packages.

Nothing here imports PIDscope. It needs Python 3.9, torch 2.0, numpy, pyarrow and Pillow; what else
is imported belongs to the repository whose model it runs. `docs/external-worker.md` describes the
files that the two sides exchange.
"""
