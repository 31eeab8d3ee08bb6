"""Parts of the business dashboard: charts, the table, what people enter."""
