"""Run by the clock: systemd or cron starts the nightly jobs, and notices tell people how they went."""
