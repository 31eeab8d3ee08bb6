"""Tabs and chord sheets: from the notes that are heard to strings and frets that a hand can play (SPEC M4)."""
