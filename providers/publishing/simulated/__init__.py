"""A platform inside the product, to try publishing without an account. Everything it says is marked as simulated."""

from providers.publishing.simulated.publisher import SimulatedPublisher

__all__ = ["SimulatedPublisher"]
