"""The prober: asks each route every 30 seconds, through the router as a member would, and logs each change."""
