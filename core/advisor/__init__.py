"""The advisor: questions in English or Thai become named read-only queries, and their rows become answers."""
