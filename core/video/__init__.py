"""Decisions about pictures and words: what to cut, where to look, how to caption. Pure; no engine is imported."""
