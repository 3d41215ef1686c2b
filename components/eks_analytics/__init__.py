"""Pulumi components for what Dash Enterprise and e6data need on AWS."""
