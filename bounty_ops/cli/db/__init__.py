"""`bounty-ops db`: a module for each command."""
