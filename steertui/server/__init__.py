"""Models behind OpenAI-compatible servers: addresses, metadata, requests, replies, load control."""
