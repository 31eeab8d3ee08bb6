"""The parts of the page that makes videos from pictures or words (SPEC V1)."""
