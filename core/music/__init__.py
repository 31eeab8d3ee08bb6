"""The music room's decisions and queries."""
