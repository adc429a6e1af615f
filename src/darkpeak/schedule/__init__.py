"""The nightly jobs' schedule, with systemd or cron, and the notices to people about their results."""
