"""How much of the time services answered: the prober's log, read and measured. Pure."""
