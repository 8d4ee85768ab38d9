"""Models behind servers that speak OpenAI's API: where they are, what they say of themselves."""
