"""Runs the vendor's installer."""
