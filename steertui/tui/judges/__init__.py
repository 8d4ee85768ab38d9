"""The Judges screen: what judges are worth on answers with known labels."""
