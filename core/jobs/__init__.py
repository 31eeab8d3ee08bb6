"""Background work: rows in PostgreSQL are the truth, Redis only carries identifiers to workers."""

from core.jobs.lifecycle import cancel, name_request, retry, submit

__all__ = ["cancel", "name_request", "retry", "submit"]
