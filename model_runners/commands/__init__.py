"""One module per command: its arguments, and a call into the package."""
