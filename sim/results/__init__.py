"""What a run leaves behind: tables, summary, pictures, a report, and the life of each order."""
