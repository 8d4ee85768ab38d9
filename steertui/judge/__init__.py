"""What reads an answer and labels it."""
