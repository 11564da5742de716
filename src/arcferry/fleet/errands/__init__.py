"""Errands: what is done to servers and machines that a run has brought into Azure Arc, later on."""
