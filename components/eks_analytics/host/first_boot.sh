#!/usr/bin/env bash
# First boot of the bootstrap host: tools, files, port-forward, and the installer or what to do next.
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
step='preparing'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

report() { # status: kept here, and shown to whoever asks AWS for it
  if [ "$(cat "$state/status" 2>/dev/null)" != "$1" ]; then
    aws ssm put-parameter --name "$STATUS_PARAMETER" --type String --overwrite --value "$1" >/dev/null || return 1
    keep "$state/status" 644 ubuntu <<<"$1"
  fi
}

fail() { # why
  trap - ERR
  echo "first boot failed: $step: $1" >&2
  report "failed: $step: $1" || echo "and $STATUS_PARAMETER does not say so: it cannot be written" >&2
  exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND: exit code $?"' ERR

retry() { # command: five times
  local try
  for try in 1 2 3 4 5; do
    if "$@"; then return 0; fi
    if [ "$try" -lt 5 ]; then sleep $((try * 5)); fi
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
    # In single quotes; one of its own becomes '\''.
    script="${script%%"$placeholder"*}ADMIN_PASSWORD='${content//\'/\'\\\'\'}'${script#*"$placeholder"}"
  elif [[ $script == *"$placeholder"* ]]; then
    fail "$INSTALL_SCRIPT_KEY asks for the admin password, and none was delivered"
  fi
  keep "$files/install_de_aws.sh" 700 ubuntu <<<"$script"
elif [ -n "$RUN_INSTALLER" ]; then
  fail 'there is no install_de_aws.sh to run'
fi
unset content script

step='enabling the port-forward'
systemctl is-enabled --quiet dash-enterprise-port-forward.service ||
  systemctl enable dash-enterprise-port-forward.service

for software in $SUPPORTING_SOFTWARE; do
  step="installing $software into the cluster"
  case $software in
    cert-manager) tool=cert-manager apply=(kubectl apply -f "$programs/cert-manager.yaml") ;;
    istio) tool=istioctl apply=(istioctl install --skip-confirmation) ;;
    *) fail 'it is not known how' ;;
  esac
  if cmp -s "$state/tools/$tool" "$state/supporting-software/$software"; then continue; fi
  "${apply[@]}"
  keep "$state/supporting-software/$software" 644 root <"$state/tools/$tool"
done

step='finishing'
if [ -e "$state/installed" ]; then
  systemctl start --no-block dash-enterprise-port-forward.service
  report "$(cat "$state/installed")"
elif [ -n "$RUN_INSTALLER" ]; then
  systemctl start --no-block dash-enterprise-install.service
else
  object "$NEXT_STEPS_KEY"
  keep "$ROOT/etc/dash-enterprise/next-steps.txt" 644 root <<EOF
Bootstrap host of the cluster $CLUSTER_NAME, for Dash Enterprise${BASE_DOMAIN:+ at $BASE_DOMAIN}.

  sudo -iu ubuntu                                        the user that has the files and the cluster
  cd ~/dash-enterprise && bash install_de_aws.sh         the vendor's installation
  sudo systemctl restart dash-enterprise-port-forward    the admin console on port 8800, once it is installed
  sudo /opt/dash-enterprise/first_boot.sh                fetches changed secrets and files

$(cat "$work/object")
EOF
  systemctl start --no-block dash-enterprise-port-forward.service
  report 'ready: log in for the next steps'
fi
