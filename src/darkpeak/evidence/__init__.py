"""What was done and what was proven, kept on the daemon, where every admin sees it."""
