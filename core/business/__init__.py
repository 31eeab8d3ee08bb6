"""The business room's decisions and queries."""
