"""A test of a service's whole life in a scratch project: `darkpeak test`."""
