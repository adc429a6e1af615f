"""What each level requires, and which level a service really has: from evidence, never from a claim. Pure."""
