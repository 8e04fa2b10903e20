"""`bounty-ops alerts`: a module for each command."""
