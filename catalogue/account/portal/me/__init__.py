"""The members' own page: name and mail address, ssh keys, logins, and the right to leave with their data."""
