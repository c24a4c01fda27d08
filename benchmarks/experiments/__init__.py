"""The goals of the load generator: each module measures one, and judges it."""
