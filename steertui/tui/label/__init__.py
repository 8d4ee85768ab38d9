"""Label screen: answers labelled by a person."""
