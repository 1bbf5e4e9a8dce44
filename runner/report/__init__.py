"""Reports: made from events, and from nothing else."""
