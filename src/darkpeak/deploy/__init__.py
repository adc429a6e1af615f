"""Carries out what the plan decided."""
