"""Models screen: download, verification and removal of weights."""
