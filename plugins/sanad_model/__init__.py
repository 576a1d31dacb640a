"""Language models: fetched from a package index, served by vLLM, tried in the terminal."""
