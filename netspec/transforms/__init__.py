"""Changes of a net as commands: each takes a spec, and gives a spec and the shapes of weights."""
