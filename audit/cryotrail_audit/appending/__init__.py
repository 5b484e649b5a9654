"""One append: what is checked, numbered, hashed and written, and in which order."""
