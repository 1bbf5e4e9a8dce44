"""The process beside the hardware: holds devices, locks and consoles for the time of a run."""
