"""HTTP: the server, who may enter, and the pages that people and Prometheus read."""
