"""What a plan allows, what is used of it, and when it runs out."""
