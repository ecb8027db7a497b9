"""The series that the agent exports, and the formats that it exports them in."""
