"""The only door to Docker: the engine's API, compose, the services' scripts, the base image."""
