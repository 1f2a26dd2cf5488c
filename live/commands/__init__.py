"""The commands of `romer-live`, each a thin shell around one function that Python can call as well."""
