"""The corpus: labelled damage, and what a verification has to say of it."""
