"""The tools that check, execute and build the book; the mathematics never imports them."""
