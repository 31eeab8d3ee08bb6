"""The parts of the Video Editor page: the project that survives a reload, choices, review, results."""
