"""A stand-in for the package of VITA-1.5: the same modules, functions and input path."""
