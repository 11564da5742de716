"""Which prefix, service tag, region and community an address is in, and whether a filter lets it through."""
