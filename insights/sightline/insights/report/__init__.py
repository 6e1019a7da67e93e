"""The batch report: what the graph states and the model adds about some entities, as files."""
