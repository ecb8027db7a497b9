"""HTTP below the routes: connections with deadlines, authentication, responses."""
