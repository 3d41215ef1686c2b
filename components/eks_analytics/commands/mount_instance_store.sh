#!/bin/bash
# Makes one file system of the instance's own NVMe disks and shows it at the given paths: a single disk as it is,
# several as one RAID 0 array; without any, a folder of the root volume. cloud-init runs this before the kubelet starts.
set -o errexit -o nounset -o pipefail

mount_paths=(@MOUNT_PATHS@)
store=/mnt/instance-store

mapfile -t disks < <(lsblk --nodeps --noheadings --output PATH,MODEL | awk '/Amazon EC2 NVMe Instance Storage/ {print $1}')
echo "instance store disks: ${disks[*]:-none}"

case ${#disks[@]} in
  0) disk= ;;
  1) disk=${disks[0]} ;;
  *)
    command -v mdadm || dnf install --assumeyes mdadm
    mdadm --create /dev/md0 --run --level=0 --raid-devices=${#disks[@]} "${disks[@]}"
    mdadm --detail --scan >>/etc/mdadm.conf
    disk=/dev/md0
    ;;
esac

# After a stop the disks are new and empty. The node must start without them, hence nofail.
mkdir --parents "$store"
if [[ -n $disk ]]; then
  mkfs.xfs -f "$disk"
  uuid=$(blkid --match-tag UUID --output value "$disk")
  echo "UUID=$uuid $store xfs noatime,nofail,x-systemd.before=kubelet.service 0 0" >>/etc/fstab
  systemctl daemon-reload
  mount --target "$store"
fi
# Every process may write there, and none may remove another's files.
chmod 1777 "$store"

for path in "${mount_paths[@]}"; do
  mkdir --parents "$path"
  echo "$store $path none bind,nofail,x-systemd.before=kubelet.service 0 0" >>/etc/fstab
done
systemctl daemon-reload
for path in "${mount_paths[@]}"; do
  mount --target "$path"
done
