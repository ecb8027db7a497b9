"""What Heroku's APIs and command line say about a cluster."""
