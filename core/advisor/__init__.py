"""The advisor room's decisions and queries."""
