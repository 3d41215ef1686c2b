#!/bin/bash
# Mounts the machine's own NVMe disks at /tmp: one as it is, several as one array; without any, a folder of the root
# volume. Amazon Linux 2023 keeps /tmp in memory otherwise. cloud-init runs this before the kubelet starts.
set -o errexit -o nounset -o pipefail

mapfile -t disks < <(lsblk --nodeps --noheadings --output PATH,MODEL | awk '/Amazon EC2 NVMe Instance Storage/ {print $1}')
echo "disks of the machine itself: ${disks[*]:-none}"

case ${#disks[@]} in
  0)
    mkdir --parents /var/instance-tmp
    source=/var/instance-tmp type=none options=bind
    ;;
  1)
    mkfs.xfs -f "${disks[0]}"
    source=UUID=$(blkid --match-tag UUID --output value "${disks[0]}") type=xfs options=noatime
    ;;
  *)
    command -v mdadm || dnf install --assumeyes mdadm
    mdadm --create /dev/md0 --run --level=0 --raid-devices=${#disks[@]} "${disks[@]}"
    mdadm --detail --scan >>/etc/mdadm.conf
    mkfs.xfs -f /dev/md0
    source=UUID=$(blkid --match-tag UUID --output value /dev/md0) type=xfs options=noatime
    ;;
esac

# The disks are new, and empty, after a stop: a node must start without them, too.
echo "$source /tmp $type $options,nofail,x-systemd.before=kubelet.service 0 0" >>/etc/fstab
systemctl daemon-reload
mount --target /tmp
# Everyone may write there, and nobody may remove what another one wrote.
chmod 1777 /tmp
