"""The parts of the Publishing page: episodes board, publish dialog, publications, accounts."""
