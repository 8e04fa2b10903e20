"""What is released is what was tested: built, looked into, installed and run."""
