"""Video engines over HTTP: each submits an order, checks it by its handle, and fetches what was made (SPEC V1.5)."""
