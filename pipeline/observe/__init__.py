"""Looking at what runs: servers, connectors, lag."""
