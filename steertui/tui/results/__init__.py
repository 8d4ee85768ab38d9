"""Results screen: sentences, rates and tables."""
