"""Whether packages are on this machine, told without importing them."""

from __future__ import annotations

import importlib.util


def installed(*modules: str) -> bool:
    """Whether every one of the packages can be imported."""
    return all(importlib.util.find_spec(module) is not None for module in modules)
