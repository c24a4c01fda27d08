"""The applications of the peers: the same responses, in each framework's usual style."""
