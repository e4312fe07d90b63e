"""Predictions that somebody else computed: read, checked, and kept as a run of the cache."""

from data_cache.imported.importing import ImportOptions, ImportReport, import_predictions

__all__ = ["ImportOptions", "ImportReport", "import_predictions"]
