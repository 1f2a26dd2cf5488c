"""The commands of `romer-sim`, each a thin shell around one function that Python can call as well."""
