"""The publishing room's decisions and queries."""
