"""Make a plan from what is desired (the files) and what is observed (one look at the daemon). Pure."""
