import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from sandbox import cloud as clouds
from sandbox.cloud import Cloud, CloudError, Credentials, record, running, start, stop

REGION = "eu-central-1"
ROOT = Path(clouds.__file__).parents[1]
STARTER = "import sys, pathlib, sandbox.cloud as c; print(c.start(pathlib.Path(sys.argv[1]), progress=print).identity)"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("a clone") / "dev"
    yield start(home)
    stop(home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "dev"
    stop(tmp_path / "dev")


def session(pid: int) -> list[int]:
    """The processes of the session that a cloud leads: itself and whatever it started."""
    found: list[int] = []
    listing = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    for other, state in (line.split() for line in listing.splitlines()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(other)) == pid and not state.startswith("Z"):
                found.append(int(other))
    return found


def becomes_true(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_two_starts_at_once_give_one_cloud_and_it_outlives_both_starters(home: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(home)]
    starters = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(starter.communicate()[0] for starter in starters)
    found = running(home)
    assert found is not None
    assert said == sorted([f"{found.identity}\n", f"starting the embedded cloud\n{found.identity}\n"])
    assert session(record(home)["pid"]) == [record(home)["pid"]]


def test_a_second_start_finds_the_running_cloud(cloud: Cloud) -> None:
    said: list[str] = []
    assert start(cloud.home, progress=said.append) == cloud
    assert said == []


def test_what_it_says_about_itself_is_readable_by_its_owner_only(cloud: Cloud) -> None:
    assert (cloud.home / "cloud.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_one_port_listens_and_only_on_loopback(cloud: Cloud) -> None:
    cloud.client("ec2", REGION).describe_vpcs()
    cloud.client("eks", REGION).list_clusters()
    pid = record(cloud.home)["pid"]
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists() or link.is_symlink()]
    sockets: list[str] = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = row.split()
            if f"socket:[{rest[5]}]" in links and (table.startswith("udp") or state == "0A"):
                sockets.append(local)
    assert sockets == [f"0100007F:{record(cloud.home)['port']:04X}"]


def test_requests_keep_it_alive_and_silence_ends_it(home: Path) -> None:
    busy = start(home, idle_seconds=1)
    pid = record(home)["pid"]
    for _ in range(6):
        busy.client("eks", REGION).list_clusters()
        time.sleep(0.4)
    assert session(pid) == [pid]
    assert becomes_true(lambda: not session(pid), seconds=6)
    assert running(home) is None


KEEPER = """
import os, pathlib, sys, sandbox.cloud
sandbox.cloud.keep_from_idling(pathlib.Path(sys.argv[1]))
os.execvp("cat", ["cat"])
"""


def test_it_does_not_idle_while_somebody_works_in_a_shell(home: Path) -> None:
    start(home, idle_seconds=2)
    pid = record(home)["pid"]
    with subprocess.Popen([sys.executable, "-c", KEEPER, str(home)], cwd=ROOT, stdin=subprocess.PIPE):
        assert becomes_true(lambda: clouds.is_kept_from_idling(home))
        time.sleep(5)
        assert session(pid) == [pid]
    assert not clouds.is_kept_from_idling(home)
    assert becomes_true(lambda: not session(pid), seconds=8)


def test_stop_ends_it_and_says_whether_there_was_one(home: Path) -> None:
    start(home)
    pid = record(home)["pid"]
    assert stop(home)
    assert becomes_true(lambda: not session(pid), seconds=1)
    assert running(home) is None
    assert not stop(home)
    assert not stop(home / "never")


def test_sigterm_ends_it_and_its_record(home: Path) -> None:
    start(home)
    os.kill(record(home)["pid"], signal.SIGTERM)
    assert becomes_true(lambda: not record(home))
    assert running(home) is None


def test_a_killed_cloud_leaves_no_process_and_its_successor_is_another_account(home: Path) -> None:
    before = start(home)
    before.client("eks", REGION).list_clusters()
    before.store("things").put("a", {})
    pid = record(home)["pid"]
    os.kill(pid, signal.SIGKILL)
    assert becomes_true(lambda: not session(pid))
    began = time.monotonic()
    assert running(home) is None
    assert time.monotonic() - began < 1
    with pytest.raises(CloudError, match="does not answer"):
        before.store("things").items()
    after = start(home)
    assert after.identity != before.identity
    assert after.store("things").items() == {}


def test_it_ends_when_its_folder_vanishes(home: Path) -> None:
    start(home)
    pid = record(home)["pid"]
    shutil.rmtree(home)
    assert becomes_true(lambda: not session(pid))


def test_two_clones_and_a_copied_one_do_not_meet(cloud: Cloud, home: Path, tmp_path: Path) -> None:
    other = start(home)
    other.client("ec2", REGION).create_vpc(CidrBlock="10.77.0.0/16")
    other.store("clones").put("here", {})
    filters = [{"Name": "cidr", "Values": ["10.77.0.0/16"]}]
    assert cloud.client("ec2", REGION).describe_vpcs(Filters=filters)["Vpcs"] == []
    assert cloud.store("clones").items() == {}
    shutil.copytree(home, tmp_path / "copy")
    assert running(tmp_path / "copy") is None


def test_a_stranger_on_the_recorded_port_is_not_taken_for_the_cloud(cloud: Cloud, home: Path) -> None:
    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"pid": 1, "home": "/"}')

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home.mkdir()
        (home / "cloud.json").write_text(json.dumps({**record(cloud.home), "pid": 1, "port": server.server_port}))
        assert running(home) is None
        server.shutdown()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"port": "x"}', '{"port": 1, "identity": "i", "pid": 1}'])
def test_a_damaged_record_is_no_running_cloud(home: Path, content: str) -> None:
    home.mkdir()
    (home / "cloud.json").write_text(content)
    assert running(home) is None


def test_a_start_that_fails_shows_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = home.parent / "python"
    program.write_text("#!/bin/sh\necho no such module\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(CloudError, match=r"(?s)ended with 3.*no such module"):
        start(home)


Sent = dict[str, str]


def send(cloud: Cloud, method: str, path: str, headers: Sent, body: str = "{}") -> tuple[int, str]:
    connection = http.client.HTTPConnection(cloud.aws_url.removeprefix("http://"))
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def signed(cloud: Cloud, service: str, **changes: str) -> Sent:
    """The headers of a request for the service as an SDK sends them."""
    credential = f"{cloud.credentials.access_key_id}/20260101/{REGION}/{service}/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
        "X-Amz-Security-Token": cloud.credentials.session_token,
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "secretsmanager.ListSecrets",
    }
    return {name: value for name, value in (headers | changes).items() if value}


def test_the_control_api_needs_the_identity(cloud: Cloud) -> None:
    assert send(cloud, "POST", "/_sandbox/guessed/ping", {})[0] == 404
    assert send(cloud, "POST", f"/_sandbox/{cloud.identity}/ping", {})[0] == 200


def test_a_request_with_the_session_token_is_answered_and_none_without_it(cloud: Cloud) -> None:
    assert send(cloud, "POST", "/", signed(cloud, "secretsmanager"))[0] == 200
    other = f"AWS4-HMAC-SHA256 Credential=123456789012/20260101/{REGION}/secretsmanager/aws4_request, Signature=0"
    strangers = (
        {},
        signed(cloud, "secretsmanager", **{"X-Amz-Security-Token": ""}),
        signed(cloud, "secretsmanager", **{"X-Amz-Security-Token": "guessed"}),
        signed(cloud, "secretsmanager", Authorization=other),
        signed(cloud, "secretsmanager", Authorization=""),
        {"X-Amz-Target": "secretsmanager.ListSecrets", "Host": f"secretsmanager.{REGION}.amazonaws.com"},
    )
    for headers in strangers:
        for service_path in ("/", "/clusters", "/bucket/key?X-Amz-Credential=a/b/c/s3&X-Amz-Security-Token=x"):
            status, said = send(cloud, "POST", service_path, headers)
            assert status in (403, 421), (headers, service_path)
            assert cloud.credentials.session_token not in said


@pytest.mark.parametrize("service", ["sts", "ec2", "iam", "s3", "eks", "kms", "route53", "secretsmanager", "lambda"])
def test_the_sdk_reads_the_refusal_of_every_kind_of_service(cloud: Cloud, service: str) -> None:
    of_others = replace(cloud, credentials=Credentials.random())
    operation = {
        "sts": "get_caller_identity",
        "ec2": "describe_vpcs",
        "iam": "list_roles",
        "s3": "list_buckets",
        "eks": "list_clusters",
        "kms": "list_keys",
        "route53": "list_hosted_zones",
        "secretsmanager": "list_secrets",
        "lambda": "list_functions",
    }[service]
    getattr(cloud.client(service, REGION), operation)()
    with pytest.raises(ClientError) as refused:
        getattr(of_others.client(service, REGION), operation)()
    assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"
    assert "make shell" in refused.value.response["Error"]["Message"]


def test_a_presigned_url_carries_the_token_itself(cloud: Cloud) -> None:
    s3 = cloud.client("s3", "us-east-1")
    s3.create_bucket(Bucket="presigned")
    s3.put_object(Bucket="presigned", Key="k", Body=b"kept")
    url = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": "k"})
    path = url.removeprefix(cloud.aws_url)
    assert send(cloud, "GET", path, {}, "") == (200, "kept")
    assert send(cloud, "GET", path.partition("?")[0], {}, "")[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example"}, 421),
        ({"Host": "rebound.example:80"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_web_pages_and_names_that_were_bound_to_loopback_are_refused(cloud: Cloud, headers: Sent, status: int) -> None:
    for path in ("/", f"/_sandbox/{cloud.identity}/ping", "/moto-api/data.json"):
        assert send(cloud, "POST", path, signed(cloud, "secretsmanager") | headers)[0] == status


@pytest.mark.parametrize(
    "path", ["/moto-api/", "/moto-api/reset", "//moto-api/data.json", "/_ministack/reset", "/_localstack/health"]
)
@pytest.mark.parametrize("service", ["s3", "eks", "secretsmanager"])
def test_the_emulators_own_interfaces_are_closed_to_everybody(cloud: Cloud, path: str, service: str) -> None:
    for method in ("GET", "POST"):
        assert send(cloud, method, path, signed(cloud, service))[0] == 404


def test_what_it_writes_is_for_its_owner_only(cloud: Cloud) -> None:
    cloud.client("kms", REGION).list_keys()
    eks = cloud.client("eks", REGION)
    eks.create_cluster(name="shut", roleArn="arn:aws:iam::1:role/r", resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.describe_cluster(name="shut")
    open_to_others = {
        str(path.relative_to(cloud.home)): oct(path.lstat().st_mode)
        for path in (cloud.home, *cloud.home.rglob("*"))
        if path.lstat().st_mode & 0o077
    }
    assert open_to_others == {}
    assert (cloud.home / "kubernetes/shut/admin-key.pem").exists()


def test_the_store_keeps_json_objects_by_bucket_and_key(cloud: Cloud) -> None:
    store = cloud.store("objects")
    store.put("v1/Namespace/ä b?", {"nested": {"list": [1, 2.5, None]}})
    store.put("other", {})
    assert store.get("v1/Namespace/ä b?") == {"nested": {"list": [1, 2.5, None]}}
    assert store.get("absent") is None
    assert cloud.store("elsewhere").items() == {}
    assert store.delete("other")
    assert not store.delete("other")
    assert list(store.items()) == ["v1/Namespace/ä b?"]


def test_every_api_call_is_noted(cloud: Cloud) -> None:
    log = cloud.home / "calls.jsonl"
    before = len(log.read_text().splitlines()) if log.exists() else 0
    cloud.client("kms", REGION).list_keys()
    cloud.client("eks", REGION).list_clusters()
    assert [json.loads(line) for line in log.read_text().splitlines()[before:]] == [
        {"service": "kms", "operation": "ListKeys"},
        {"service": "eks", "operation": "ListClusters"},
    ]


def test_a_bucket_closed_to_plain_http_stays_usable_and_one_closed_to_all_does_not(cloud: Cloud) -> None:
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": REGION})
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::backups/*"}
    for condition in ({"Bool": {"aws:SecureTransport": "false"}}, {"Bool": {"aws:SecureTransport": False}}):
        policy = {"Version": "2012-10-17", "Statement": [{**deny, "Condition": condition}]}
        s3.put_bucket_policy(Bucket="backups", Policy=json.dumps(policy))
        s3.put_object(Bucket="backups", Key="k", Body=b"kept")
        assert s3.get_object(Bucket="backups", Key="k")["Body"].read() == b"kept"
    s3.put_bucket_policy(Bucket="backups", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    with pytest.raises(ClientError, match="403"):
        s3.put_object(Bucket="backups", Key="k", Body=b"")


def test_only_aws_itself_sets_tags_that_begin_with_aws(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2", REGION)
    group = ec2.create_security_group(GroupName="eks-cluster-sg-demo", Description="d")["GroupId"]
    cloud.system_tag(group, {"aws:eks:cluster-name": "demo"}, REGION)
    tags = [{"Key": "aws:eks:cluster-name", "Value": "mine"}]
    specification = [{"ResourceType": "vpc", "Tags": tags}]
    for call in (
        lambda: ec2.create_tags(Resources=[group], Tags=tags),
        lambda: ec2.delete_tags(Resources=[group], Tags=[{"Key": "aws:eks:cluster-name"}]),
        lambda: ec2.create_vpc(CidrBlock="10.88.0.0/16", TagSpecifications=specification),
    ):
        with pytest.raises(ClientError, match="reserved for internal use"):
            call()
    assert ec2.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.88.0.0/16"]}])["Vpcs"] == []
    for region, found in ((REGION, [group]), ("us-west-2", [])):
        filters = [{"Name": "tag:aws:eks:cluster-name", "Values": ["demo"]}]
        groups = cloud.client("ec2", region).describe_security_groups(Filters=filters)["SecurityGroups"]
        assert [each["GroupId"] for each in groups] == found
    with pytest.raises(CloudError, match="does not exist"):
        cloud.system_tag("sg-0123456789abcdef0", {"aws:x": "y"}, REGION)


def test_subnets_are_found_by_the_filters_that_controllers_use(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    ids: dict[str, str] = {}
    for number, (zone, tags) in enumerate(
        {
            "a": {"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/demo": "shared"},
            "b": {"kubernetes.io/role/internal-elb": "1", "kubernetes.io/cluster/demo": "owned"},
            "c": {"karpenter.sh/discovery": "demo", "kubernetes.io/cluster/demonstration": "shared"},
        }.items()
    ):
        specification = {"ResourceType": "subnet", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
        ids[zone] = ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.99.{number}.0/24",
            AvailabilityZone=f"{REGION}{zone}",
            TagSpecifications=[specification],
        )["Subnet"]["SubnetId"]

    def found(**filters: list[str]) -> set[str]:
        wanted = [{"Name": name, "Values": values} for name, values in {**filters, "vpc-id": [vpc]}.items()]
        subnets = ec2.describe_subnets(Filters=wanted)["Subnets"]
        return {zone for zone, subnet_id in ids.items() if subnet_id in {each["SubnetId"] for each in subnets}}

    assert found(**{"tag:kubernetes.io/role/elb": ["", "1"]}) == {"a"}
    assert found(**{"tag:kubernetes.io/cluster/demo": ["owned", "shared"]}) == {"a", "b"}
    assert found(**{"tag-key": ["kubernetes.io/cluster/demo"]}) == {"a", "b"}
    assert found(**{"tag:karpenter.sh/discovery": ["demo"], "availability-zone": [f"{REGION}c"]}) == {"c"}
    assert found(**{"tag:karpenter.sh/discovery": ["*"], "availability-zone": [f"{REGION}a"]}) == set()
    zones = {each["ZoneName"]: each["ZoneId"] for each in ec2.describe_availability_zones()["AvailabilityZones"]}
    subnet = ec2.describe_subnets(SubnetIds=[ids["a"]])["Subnets"][0]
    assert subnet["AvailabilityZoneId"] == zones[f"{REGION}a"]
    assert subnet["AvailableIpAddressCount"] == 251


def test_clusters_are_named_as_aws_names_them(cloud: Cloud) -> None:
    eks = cloud.client("eks", REGION)
    role = f"arn:aws:iam::{cloud.account_id}:role/path/cluster"
    eks.create_cluster(name="demo", roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    cluster = eks.describe_cluster(name="demo")["cluster"]
    assert cluster["status"] == "ACTIVE"
    assert cluster["arn"] == f"arn:aws:eks:{REGION}:{cloud.account_id}:cluster/demo"
    assert cluster["identity"]["oidc"]["issuer"].startswith(f"https://oidc.eks.{REGION}.amazonaws.com/id/")
    assert cluster["endpoint"].endswith(f".{REGION}.eks.amazonaws.com")
    eks.create_access_entry(clusterName="demo", principalArn=role)
    assert eks.describe_access_entry(clusterName="demo", principalArn=role)["accessEntry"]["principalArn"] == role
    assert cloud.client("eks", "us-west-2").list_clusters()["clusters"] == []


def test_managed_policies_of_aws_exist(cloud: Cloud) -> None:
    iam = cloud.client("iam", REGION)
    policy = iam.get_policy(PolicyArn="arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2")["Policy"]
    assert policy["PolicyName"] == "AmazonEBSCSIDriverPolicyV2"


def test_the_users_aws_environment_and_proxies_are_not_read(home: Path, tmp_path: Path) -> None:
    models = tmp_path / ".aws" / "models" / "kms" / "2099-01-01"
    models.mkdir(parents=True)
    (models / "service-2.json").write_text("this is not JSON")
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("[default\nregion")
    poison = {
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "AWS_ENDPOINT_URL"), "http://127.0.0.1:9"),
        **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_DEFAULTS_MODE", "AWS_MAX_ATTEMPTS"), "nonsense"),
        **dict.fromkeys(("AWS_CA_BUNDLE", "AWS_RETRY_MODE", "AWS_STS_REGIONAL_ENDPOINTS"), "nonsense"),
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "real",
        "SERVICES": "s3",
        "AUTH": "true",
        "BIND_HOST": "0.0.0.0",
        "MOTO_ALLOW_NONEXISTENT_REGION": "x",
        "HOME": str(tmp_path),
    }
    program = f"""if True:
        import pathlib, sys, sandbox.cloud
        cloud = sandbox.cloud.start(pathlib.Path(sys.argv[1]))
        assert cloud.client("eks", "{REGION}").list_clusters()["clusters"] == []
        assert cloud.client("kms", "{REGION}").list_keys()["Keys"] == []
        print(cloud.client("sts", "{REGION}").get_caller_identity()["Account"])
    """
    command = [sys.executable, "-c", program, str(home)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **poison}, capture_output=True, text=True)
    assert done.stdout.strip() == "123456789012", done.stderr
    found = running(home)
    assert found is not None
    assert found.client("ec2", REGION).describe_vpcs()["Vpcs"]
