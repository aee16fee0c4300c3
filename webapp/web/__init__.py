"""What every page and route shares: guards, problems, headers, limits, language."""
