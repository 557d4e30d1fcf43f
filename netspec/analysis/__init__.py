"""Questions asked of a net, one module each."""
