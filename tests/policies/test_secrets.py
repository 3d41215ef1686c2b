"""What is a secret that is written down, below whatever encoding, and what only speaks of one."""

import base64
import bz2
import gzip
import io
import lzma
import time
import zipfile
import zlib

import pytest

from pack.secrets import CREDENTIAL, in_setting, in_text

_SCRIPT = b"#!/bin/bash\nexport ADMIN_PASSWORD=hunter22\n"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("install.sh", content)
    return file.getvalue()


SECRETS = {
    "a variable": "export ADMIN_PASSWORD='correct-horse'",
    "a short one": "DB_PASS=hunter2",
    "a name that ends in its environment": "DB_PASSWORD_PROD=hunter22 ",
    "a line of netrc": "machine git.example.com\n  login app\n  password Xy7Zk2Pq9\n",
    "a line of pgpass": "db.internal:5432:app:app_user:hunter22\n",
    "a setting in YAML": "token: s3cr3t-t0ken",
    "a block of YAML": "password: |\n  hunter22",
    "JSON in JSON": '{\\"password\\": \\"hunter22\\"}',
    "XML": "<password>hunter22</password>",
    "a pair of name and value": "- name: DB_PASSWORD\n  value: hunter22",
    "a connection string": "Server=db;User=app;Password=hunter22;",
    "a flag": "install --admin-password hunter22",
    "a URL": "postgres://app:hunter22@db/app",
    "curl": "curl -u admin:hunter22 https://registry.example.com",
    "chpasswd": "echo root:hunter22 | chpasswd",
    "a header": "Authorization: Bearer 9f8e7d6c5b4a",
    "the default of a variable": "PASSWORD=${ADMIN_PASSWORD:-hunter22}",
    "what a command prints": "ADMIN_PASSWORD=$(echo aHVudGVyMmh1bnRlcg== | base64 -d)",
    "what a command reads": "ADMIN_PASSWORD=`base64 -d <<< aHVudGVyMg==`",
    "a secret key of AWS": "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "one that begins like a path": "aws_secret_access_key = /JalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEK2Y",
    "a token of GitHub": "git clone https://ghp_" + "a" * 36 + "@github.com/example/app",
    "a key that signs": "jwt_secret: aB3dEf9hIj",
    "a login to a registry": '{"auths": {"r.example.com": {"auth": "' + encoded(b"user:hunter22") + '"}}}',
    "chpasswd of cloud-init": "#cloud-config\nchpasswd:\n  list: |\n    root:RANDOM\n    app:hunter22\n",
    "sshpass": "sshpass -p hunter22 ssh app@host",
    "docker": "docker login -u app -p hunter22 registry.example.com",
    "helm": "helm registry login registry.example.com -u app -p 'hunter22'",
    "mysql": "mysql -u root -phunter22 -e 'SELECT 1'",
    "redis-cli": "redis-cli -h cache -a hunter22 PING",
    "net user": "<powershell>net user Administrator hunter22!</powershell>",
    "a secure string of PowerShell": "$p = ConvertTo-SecureString 'hunter22' -AsPlainText -Force",
    "passwd": "echo 'hunter22' | sudo passwd --stdin ec2-user",
    "a login that reads": "echo hunter22 | docker login --username app --password-stdin registry.example.com",
    "a short word": "DB_PW=hunter22",
    "an incoming webhook of Slack": "curl https://hooks.slack.com/services/" + "T0000000/B0000000/" + "a" * 24,
    "a key of SendGrid": "MAIL=SG." + "a" * 22 + "." + "b" * 43,
    "a key of OpenAI": "LLM=sk-proj-" + "a" * 40,
    "a token of Pulumi": "pulumi login; X=pul-" + "0" * 40,
    "base64": encoded(_SCRIPT),
    "base64 in base64": encoded(f"echo {encoded(_SCRIPT)} | base64 -d | bash\n".encode()),
    "three times": encoded(encoded(encoded(_SCRIPT).encode()).encode()),
    "gzip in base64": encoded(gzip.compress(_SCRIPT, mtime=0)),
    "gzip in base64 in gzip": encoded(gzip.compress(encoded(gzip.compress(_SCRIPT, mtime=0)).encode(), mtime=0)),
    "a gzip cut short": encoded(gzip.compress(_SCRIPT * 40, mtime=0)[:-8]),
    "zlib": encoded(zlib.compress(_SCRIPT)),
    "bzip2": encoded(bz2.compress(_SCRIPT)),
    "xz": encoded(lzma.compress(_SCRIPT)),
    "a ZIP archive": encoded(zipped(_SCRIPT)),
    "UTF-16, as PowerShell has it": "powershell -EncodedCommand "
    + encoded("$x; password=hunter22".encode("utf-16-le")),
    "hexadecimal digits": f"echo {_SCRIPT.hex()} | xxd -r -p | bash",
    "a file of cloud-init": "#cloud-config\nwrite_files:\n- encoding: gz+b64\n  content: !!binary |\n    "
    + base64.encodebytes(gzip.compress(_SCRIPT + b"# " + bytes(range(32, 127)), mtime=0))
    .decode()
    .replace("\n", "\n    "),
    "a part of a multi-part message": "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=//\n\n--//\n"
    "Content-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(b"#!/bin/bash\n# " + b"x" * 80 + b"\nexport DB_PASSWORD=hunter22\n").decode()
    + "\n--//--\n",
    "quoted-printable": "Content-Transfer-Encoding: quoted-printable\n\nexport ADMIN_PASSWORD=3Dhunter22\n",
}

NONE = {
    "the name of a pull secret": "imagePullSecret: regcred",
    "a state": "auth-token: disabled",
    "another state": "http-tokens: required",
    "a demand": "token: required",
    "the name of a secret with certificates": "tlsSecret: my-tls-2",
    "a secret that exists": "existingSecret: grafana-admin",
    "a volume": "secret:\n  secretName: foo-bar",
    "a reference": "secretKeyRef:\n  key: password\n  name: db",
    "a marker": "ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__",
    "an ARN": "SECRET=arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-AbCdEf",
    "a command": "TOKEN=$(curl -X PUT http://169.254.169.254/latest/api/token)",
    "a command that reads a secret": "PASSWORD=$(aws secretsmanager get-secret-value --secret-id prod/db)",
    "a variable in quotes": 'helm upgrade --set "password=${PASSWORD}" --token "$TOKEN"',
    "a variable in a URL": "git clone https://oauth2:${TOKEN}@github.com/example/app",
    "nsswitch.conf": "passwd:         files systemd",
    "sshd_config": "PasswordAuthentication no\nPermitRootLogin prohibit-password\n",
    "a file": "--token-file /var/run/token password: /etc/password",
    "a path of words": "DB_SECRET=prod/db/credentials",
    "the alias of a key": "encryption_key: alias/logs",
    "a call": "token = get_token()\npassword = os.environ['PASSWORD']",
    "another variable": "login(password=db_password, token=self.token)",
    "a number": "tokenTtl: 3600\nsecret_key: 12",
    "a key by its id": "encryption_key: 1234abcd-12ab-34cd-56ef-1234567890ab",
    "a login that reads": "aws ecr get-login-password | docker login --username AWS --password-stdin r.example.com",
    "a login with a variable": 'docker login -u AWS -p "$(aws ecr get-login-password)" r.example.com',
    "a pipe from a variable": 'echo "$PASSWORD" | passwd --stdin app; echo "$PW" | docker login --password-stdin x',
    "mysql with a variable": 'mysql -u root -p"$DB_PASSWORD" app; mysql -u root -p app',
    "ports of a container": "docker run --name mysql -p3306:3306 mysql:8; cp -pR a b",
    "a user of Windows": "net user guest /active:no",
    "a locked account": "#cloud-config\nchpasswd:\n  expire: false\n  list:\n  - root:RANDOM\n  - app:$6$salt$hash\n",
    "stars": "password: ********",
    "an IPv6 address": "2001:4860:4860::8888\n2001:db8:85a3:1:8a2e:370:7334:1\n",
    "a user in /etc/passwd": "app:x:1000:1000::/home/app:/bin/bash",
    "rules for passwords": "PASSWORD_MIN_LENGTH=12\nPASSWORD_HASH=bcrypt\nTOKEN_URL=https://example.com/token\n",
    "words that end alike": "bypass=something compass: northwest",
    "a fetch": "credentials: include",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=SECRETS)
def test_a_secret_is_found(text: str) -> None:
    assert list(in_text(text)) == [CREDENTIAL]


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_what_only_speaks_of_a_secret_is_none(text: str) -> None:
    assert list(in_text(text)) == []
    assert list(in_text(encoded(f"#!/bin/bash\n{text}\n".encode()))) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("PWD_DB", "hunter22"),
        ("PASSWORD_PROD", "hunter22"),
        ("dbPassword", "letmein"),
        ("API_TOKEN", "correct-horse-battery"),
        ("/prod/db/password", "hunter22"),
        ("CLIENT_SECRET", "abcdefgh"),
        ("SCRIPT", encoded(_SCRIPT)),
        ("DATABASE_URL", "mysql://app:hunter22@db/app"),
        ("SECRET_KEY_BASE", "0123456789abcdef"),
    ],
)
def test_a_setting_is_a_secret_by_its_name_and_value(name: str, value: str) -> None:
    assert list(in_setting(name, value)) == [CREDENTIAL]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("imagePullSecret", "regcred"),
        ("auth-token", "disabled"),
        ("DB_SECRET", "rds-credentials"),
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:db"),
        ("SECRET_NAME", "db-1"),
        ("TOKEN_TABLE", "tokens"),
        ("API_TOKEN", "$(cat /run/token)"),
        ("PASSWORD_PARAMETER", "/prod/db/password"),
        ("MAX_TOKENS", "4096"),
        ("PRIVATE_KEY", "/etc/tls/tls.key"),
    ],
)
def test_a_setting_that_names_a_secret_is_none(name: str, value: str) -> None:
    assert list(in_setting(name, value)) == []


def test_what_its_issuer_marks_is_told_by_name() -> None:
    assert list(in_text("-----BEGIN OPENSSH PRIVATE KEY-----")) == ["a private key"]
    assert list(in_text("id=AKIAIOSFODNN7EXAMPLE")) == ["an AWS access key"]


def test_the_time_grows_with_the_length_of_a_text_and_not_with_its_square() -> None:
    def seconds(size: int) -> float:
        started = time.process_time()
        for text in (
            "a" * size,
            "password " * (size // 9),
            encoded(bytes(range(256)) * (size // 340)),
            "x=1\n" * (size // 4),
        ):
            assert list(in_text(text)) == []
        return time.process_time() - started

    assert seconds(1 << 15) < 20 * max(seconds(1 << 12), 0.05)
