"""Records of backups, drills, deploys and nights, kept on the daemon, where all admins see them."""
