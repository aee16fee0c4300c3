"""Administering users: finding them, looking at one, changing many, exporting and importing them."""
