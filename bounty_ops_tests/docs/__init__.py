"""The pages for people: what they promise is executed."""
