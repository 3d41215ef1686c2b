#!/bin/sh
# Shows what to do next, to whoever logs in.
if [ -e /etc/dash-enterprise/next-steps.txt ]; then cat /etc/dash-enterprise/next-steps.txt; fi
