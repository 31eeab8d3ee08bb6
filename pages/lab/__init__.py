"""Parts of the Music Lab's page."""
