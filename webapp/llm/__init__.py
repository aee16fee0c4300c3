"""Language models: providers, catalogue, usage."""
