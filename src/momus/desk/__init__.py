"""The desk: where people tamper, rate, write, team up and compare. `app.create_app` is the server."""
