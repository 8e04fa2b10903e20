"""What is made of measurements for people."""
