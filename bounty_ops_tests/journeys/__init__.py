"""Whole stories on real servers, as a newcomer or an operator lives them."""
