"""Parts of the advisor's page: answers with their numbers, and what is behind each."""
