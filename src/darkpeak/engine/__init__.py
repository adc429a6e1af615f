"""The only door to Docker: the engine's API, the docker client, compose."""
