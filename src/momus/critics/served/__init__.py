"""A model on a server as critic, by what its server can do: it scans, it rewrites, or it is asked for a critique.

One file a step: `name`, `opening` (what the server can do decides), `rewriting` (what is asked, and what is made of the
reply), `critic`, `writer` (solutions); the strategy *critique* is `momus.critics.prompted`.
"""
