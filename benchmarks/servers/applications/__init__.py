"""What does each peer serve? The same answers, each in its framework's usual way."""
