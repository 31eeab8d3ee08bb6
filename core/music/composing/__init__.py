"""From a prompt to a song: what was meant, a plan, its harmony and melody, and the score."""
