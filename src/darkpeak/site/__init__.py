"""The pages for members: what services there are, and how reliable each one is. Files from one value. Pure."""
