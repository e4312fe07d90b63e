"""A stand-in for the package of Cambrian-1: the same modules, functions and forward path."""
