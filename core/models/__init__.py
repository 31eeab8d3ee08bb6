"""Every table of the studio. Importing this package makes them all known to the metadata."""

from core.models import advisor, assets, business, identity, jobs, publishing, simulated
from core.models.base import Base

__all__ = ["Base", "advisor", "assets", "business", "identity", "jobs", "publishing", "simulated"]
