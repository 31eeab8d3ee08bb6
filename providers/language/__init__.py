"""Language models behind the advisor; what they may say is decided in :mod:`core.advisor.language`."""
