"""What is deployed: the examples, checked and run."""
