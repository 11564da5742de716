"""The fleet: an inventory of hosts, brought into Azure side by side, durably."""
