"""Results of runs of an index desk: rows, their folds, the summary, the story of an order, and pictures."""
