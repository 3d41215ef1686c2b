#!/usr/bin/env bash
# First boot of the bootstrap host: tools and files; then the installer, or what to do next.
# Runs as root, and again whenever asked: what is right already stays untouched, changed secrets are picked up.
# Its values are in /etc/dash-enterprise/bootstrap.env; ROOT moves every path, for a trial in a scratch directory.
set -Eeuo pipefail

ROOT=${ROOT:-}
# shellcheck source=/dev/null
. "$ROOT/etc/dash-enterprise/bootstrap.env"
export AWS_DEFAULT_REGION AWS_PAGER='' HOME=${HOME:-/root} DEBIAN_FRONTEND=noninteractive
export PATH="$ROOT/usr/local/bin:$PATH" KUBECONFIG="$ROOT/home/ubuntu/.kube/config"
programs=$ROOT/opt/dash-enterprise
files=$ROOT/home/ubuntu/dash-enterprise
state=$ROOT/var/lib/dash-enterprise
placeholder='ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__'
quote="'\\''"
step='preparing'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

report() { # status: kept here, and shown to whoever asks AWS for it
  if [ "$(cat "$state/status" 2>/dev/null)" != "$1" ]; then
    aws ssm put-parameter --name "$STATUS_PARAMETER" --type String --overwrite --value "$1" >/dev/null || return 1
    keep "$state/status" 644 ubuntu <<<"$1"
  fi
}

fail() { # why
  trap - ERR
  echo "first boot failed: $step: $1" >&2
  report "failed: $step: $1"$'\nThe rest is in /var/log/cloud-init-output.log on the host.' || echo "and $STATUS_PARAMETER does not say so: it cannot be written" >&2
  exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND: exit code $?"' ERR

retry() { # command: five times, or TRIES
  local try tries=${TRIES:-5}
  for ((try = 1; try <= tries; try++)); do
    if "$@"; then return 0; fi
    if [ "$try" -lt "$tries" ]; then sleep $((try * 5)); fi
  done
  return 1
}

directory() { # path, mode, owner
  mkdir -p "$1"
  chmod "$2" "$1"
  chown "$3:$3" "$1"
}

keep() { # path, mode, owner: the file gets what comes in, from its first byte readable only to whom it shall be
  local new
  new=$(mktemp "$1.XXXXXX")
  cat >"$new"
  chmod "$2" "$new"
  chown "$3:$3" "$new"
  if cmp -s "$new" "$1" && [ "$(stat -c %a "$1")" = "$2" ]; then
    rm "$new"
  else
    mv "$new" "$1"
  fi
}

secret() { # ARN: leaves the secret in $content; no command line and no log holds it
  content=$(retry aws secretsmanager get-secret-value --secret-id "$1" --query SecretString --output text 2>"$work/why") ||
    fail "cannot read $1: $(tail -n 1 "$work/why")"
}

object() { # key: leaves the file of the bucket in $work/object
  retry aws s3 cp --only-show-errors "s3://$BUCKET/$1" "$work/object" 2>"$work/why" ||
    fail "cannot read s3://$BUCKET/$1: $(tail -n 1 "$work/why")"
}

download() { # URL, file
  retry curl --fail --silent --show-error --location --proto '=https' --proto-redir '=https' \
    --connect-timeout 20 --max-time 900 --output "$2" "$1" 2>"$work/why" ||
    fail "cannot download $1: $(tail -n 1 "$work/why")"
}

verified() { # URL, proof, file: what is downloaded is what its vendor, or the settings, say
  local found expected=$2
  download "$1" "$3"
  case $2 in
    *.sig)
      download "$2" "$3.sig"
      # A key that expired after it signed is fine: gpgv says so, and accepts.
      gpgv --keyring "$programs/aws-cli.gpg" "$3.sig" "$3" 2>"$work/why" ||
        fail "$1 does not bear the signature $2 of AWS: $(tail -n 1 "$work/why")"
      return
      ;;
    https:*)
      download "$2" "$3.sums"
      expected=$(awk -v name="${1##*/}" '{ file = $2; sub(/^.*[\/*]/, "", file) }
        NF == 1 || file == name { print tolower($1); exit }' "$3.sums")
      ;;
  esac
  found=$(sha256sum "$3" | cut -d ' ' -f 1)
  [ "$found" = "$expected" ] || fail "$1 is not the right file: expected SHA-256 ${expected:-(none in $2)}, found $found"
}

install_tool() { # name, version, URL, proof, member of the archive, target
  local archive=$work/${3##*/} target=$ROOT$6
  step="installing $1 $2"
  if [ -e "$target" ] && [ "$(cat "$state/tools/$1" 2>/dev/null)" = "$2 $4" ]; then return; fi
  verified "$3" "$4" "$archive"
  mkdir "$work/content"
  case $archive in
    *.zip)
      unzip -q "$archive" -d "$work/content"
      "$work/content/$5" --bin-dir "$ROOT/usr/local/bin" --install-dir "$ROOT/usr/local/aws-cli" --update
      ;;
    *.tar.gz)
      tar -xzf "$archive" -C "$work/content" "$5"
      install -m 755 "$work/content/$5" "$target"
      ;;
    *.yaml) install -m 644 "$archive" "$target" ;;
    *) install -m 755 "$archive" "$target" ;;
  esac
  keep "$state/tools/$1" 644 root <<<"$2 $4"
  rm -rf "$archive"* "$work/content"
}

admin_console() { # leaves the product's service in $kotsadm; fails where the cluster does not say whether there is one
  kotsadm=$(kubectl get service kotsadm -n plotly-system --ignore-not-found --output name 2>"$work/why")
}

forward() { # the admin console, now and after every reboot
  systemctl enable --now --no-block dash-enterprise-port-forward.service
}

mkdir -p "$ROOT/usr/local/bin"
directory "$state" 755 ubuntu
directory "$state/tools" 755 root
directory "$state/supporting-software" 755 root
directory "$ROOT/var/log/dash-enterprise" 750 ubuntu
directory "$ROOT/home/ubuntu/.kube" 700 ubuntu
directory "$files" 700 ubuntu

step='installing packages'
missing=()
for package in curl unzip gpgv; do # each brings the command of its name
  command -v "$package" >/dev/null || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then # other programs of a new machine use apt too: wait for them
  retry apt-get -o DPkg::Lock::Timeout=300 -qq update
  retry apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends "${missing[@]}"
fi

while read -r name version url proof member target <&3; do
  install_tool "$name" "$version" "$url" "$proof" "$member" "$target"
  # The parameter may still tell of the host before this one.
  if [ "$name" = aws-cli ] && [ ! -e "$state/status" ]; then retry report "first boot since $(now)"; fi
done 3<<<"$TOOLS"

step='writing the files'
secret "$LICENSE_SECRET_ARN"
keep "$files/license.yaml" 600 ubuntu <<<"$content"
secret "$TLS_CERTIFICATE_SECRET_ARN"
keep "$files/fullchain.pem" 600 ubuntu <<<"$content"
secret "$TLS_PRIVATE_KEY_SECRET_ARN"
keep "$files/privkey.pem" 600 ubuntu <<<"$content"
object "$KUBECONFIG_KEY"
keep "$KUBECONFIG" 600 ubuntu <"$work/object"
object "$RUN_INSTALLER_KEY"
keep "$programs/run_installer.py" 755 root <"$work/object"
if [ -n "$INSTALL_SCRIPT_KEY" ]; then
  object "$INSTALL_SCRIPT_KEY"
  script=$(cat "$work/object")
  if [ -n "$ADMIN_PASSWORD_SECRET_ARN" ]; then
    [[ $script == *"$placeholder"* ]] || fail "$INSTALL_SCRIPT_KEY has no place for the admin password: $placeholder"
    secret "$ADMIN_PASSWORD_SECRET_ARN"
    # In single quotes; one of its own becomes '\''. What replaces is quoted: bash 5.2 would take a & for what it replaces.
    content="ADMIN_PASSWORD='${content//"'"/"$quote"}'"
    script=${script//"$placeholder"/"$content"}
  elif [[ $script == *"$placeholder"* ]]; then
    fail "$INSTALL_SCRIPT_KEY asks for the admin password, and none was delivered"
  fi
  keep "$files/install_de_aws.sh" 700 ubuntu <<<"$script"
elif [ -n "$RUN_INSTALLER" ]; then
  fail 'there is no install_de_aws.sh to run'
fi
unset content script

# Only a host that people reach over SSH has a key, and they reach the port itself. No setting says so, because user
# data may be older than the way in.
address=127.0.0.1
if [[ $(cloud-init query public_ssh_keys) == *ssh-* ]]; then address=0.0.0.0; fi
keep "$ROOT/etc/dash-enterprise/port-forward.env" 644 root <<<"PORT_FORWARD_ADDRESS=$address"
if [ -z "$RUN_INSTALLER" ]; then
  object "$NEXT_STEPS_KEY"
  keep "$ROOT/etc/dash-enterprise/next-steps.txt" 644 root <<EOF
Bootstrap host of the cluster $CLUSTER_NAME, for Dash Enterprise${BASE_DOMAIN:+ at $BASE_DOMAIN}.

  sudo -iu ubuntu                                        the user that has the files and the cluster
  cd ~/dash-enterprise && bash install_de_aws.sh         the vendor's installation
  sudo systemctl restart dash-enterprise-port-forward    the admin console on port 8800, once the installer is done
  sudo /opt/dash-enterprise/first_boot.sh                fetches changed secrets and files
  less /var/log/cloud-init-output.log                    what first boot did

$(cat "$work/object")
EOF
fi

step='asking the cluster'
# The host's access to it takes some time until it counts.
TRIES=10 retry admin_console || fail "no answer: $(tail -n 1 "$work/why")"

for software in $SUPPORTING_SOFTWARE; do
  step="installing $software into the cluster"
  case $software in
    cert-manager) tool=cert-manager apply=(kubectl apply -f "$programs/cert-manager.yaml") ;;
    istio) tool=istioctl apply=(istioctl install --skip-confirmation) ;;
    *) fail 'it is not known how' ;;
  esac
  if cmp -s "$state/tools/$tool" "$state/supporting-software/$software"; then continue; fi
  retry "${apply[@]}"
  keep "$state/supporting-software/$software" 644 root <"$state/tools/$tool"
done

step='finishing'
if [ -n "$kotsadm" ] && [ ! -e "$state/installed" ] && [ -e "$ROOT/var/log/dash-enterprise/install.log" ]; then
  # People may have repaired it since, and use it: whether to run it again is for them to say.
  echo 'The installer began on this host and has not succeeded: sudo systemctl start dash-enterprise-install runs it again'
elif [ -n "$kotsadm" ] || [ -e "$state/installed" ]; then
  # By this host, by one before it, or by hand: the installer must not run again on what people use.
  [ -e "$state/installed" ] || keep "$state/installed" 644 ubuntu <<<"installed before $(now)"
  forward
  report "$(cat "$state/installed")"
elif [ -n "$RUN_INSTALLER" ]; then
  systemctl start --no-block dash-enterprise-install.service
else
  report 'ready: log in for the next steps'
fi
