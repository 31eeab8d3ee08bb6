"""What `make` runs: environment, browser libraries, licence table. Nothing of the studio imports this package."""
