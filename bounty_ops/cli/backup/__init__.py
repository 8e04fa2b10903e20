"""`bounty-ops backup`: a module for each command."""
