"""The poller of Heroku's Platform API and Data API."""
