"""Alarms over what a Velero backs up that somebody else installed: only its bucket and its schedules are known."""

import pulumi

from eks_analytics import BackupWatch

watch = BackupWatch(
    "analytics",
    {
        "name": "analytics",
        "bucket": "central-backups",
        "prefix": "analytics",
        "schedules": [{"name": "daily", "cron": "0 0 * * *"}],
        "subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}],
    },
)
pulumi.export("alarm_names", watch.alarm_names)
