"""Videos made of pictures and words (SPEC V1): the order, its scenes, their looks and cards."""
