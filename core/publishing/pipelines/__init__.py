"""Recipes: from a new recording to scheduled posts, with a person's approval where it is wanted or needed (P2.3)."""
