"""Views, revenue, cost and profit: what was observed, what counts, and what the dashboard shows of it."""
