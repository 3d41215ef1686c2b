"""Velero's backups on the real engine: what S3, IAM and the cluster then hold, and what each change touches."""
