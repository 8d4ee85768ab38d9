"""The Vectors screen: steering vectors and adapters."""
