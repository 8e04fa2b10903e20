"""`bounty-ops monitor`: a module for each command."""
