"""Desired (files) and observed (one snapshot of the daemon) give a plan. Pure: nothing here asks, prints or waits."""
