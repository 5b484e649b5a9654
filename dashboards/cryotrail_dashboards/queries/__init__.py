"""What the pages ask the published warehouse: the only modules that do."""
