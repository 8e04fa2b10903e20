"""What to make of measurements: one module a field, each from values to findings, purely."""
