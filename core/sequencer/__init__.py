"""Orders in, blocks out: validation, a total order, batches on an anchored clock, hash-chained blocks."""
