"""Docker: the engine's API, the docker client, compose. Other rooms use Docker only through this one."""
