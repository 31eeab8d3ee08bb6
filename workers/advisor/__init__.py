"""The advisor's background work."""
