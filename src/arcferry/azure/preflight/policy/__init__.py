"""Azure Policy: what is assigned to the resource group, and what it would say to a machine."""
