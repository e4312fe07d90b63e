"""The demo's own models: how they are built and trained from nothing on two cores."""
