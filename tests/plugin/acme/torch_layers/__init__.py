"""Their lowerings to torch."""
