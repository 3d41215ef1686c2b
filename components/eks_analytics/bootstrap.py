"""BootstrapInstance: the EC2 host from which Dash Enterprise is installed into a cluster, gone when that is done."""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .bootstrap_checks import (
    DEFAULT_KEY_NAME,
    BootstrapOptions,
    BootstrapSshArgs,
    bootstrap_warnings,
    check_bootstrap,
    installer_problems,
    ubuntu_parameter,
)
from .first_boot import (
    KUBECONFIG_KEY,
    NEXT_STEPS_KEY,
    RUN_INSTALLER_KEY,
    HostOptions,
    run_installer_script,
    user_data,
)
from .host_policy import HostRights, host_policy, host_trust
from .host_tools import ToolArgs, host_tools
from .iam import cluster_admin_policy_arn
from .network import ANYWHERE, ANYWHERE_IPV6
from .problems import reject

HOST_NAME = "dash-enterprise-bootstrap"
ADMIN_CONSOLE_PORT = 8800
RESTART_PORT_FORWARD = "sudo systemctl restart dash-enterprise-port-forward"

_NUMBERS = ("disk_size_gib", "installer_timeout_minutes", "log_retention_days")


class BootstrapClusterArgs(TypedDict):
    """The cluster that the host installs into."""

    name: str
    """Name of the EKS cluster."""
    kubernetes_version: str
    """Its Kubernetes version, e.g. "1.35": kubectl on the host has the same."""
    security_group_id: pulumi.Input[str]
    """Id of the security group of its control plane, which lets the host in on port 443."""
    session_document_name: NotRequired[pulumi.Input[str]]
    """Name of the session document with which sessions on the host leave a transcript; none by default."""
    session_log_group_arn: NotRequired[pulumi.Input[str]]
    """ARN of the log group that holds the transcripts; required with that document. None by default."""
    kubeconfig: pulumi.Input[str]
    """Kubeconfig that asks the AWS CLI for a token, and holds none. The host waits for whatever this value waits for,
    such as nodes and a StorageClass."""


class BootstrapInstallationArgs(TypedDict):
    """Where the files of the installation are."""

    bucket_name: pulumi.Input[str]
    """Name of the bucket; the host's kubeconfig and instructions are put there too."""
    install_script_key: pulumi.Input[str]
    """Key of the vendor's install_de_aws.sh in the bucket; empty when it is delivered otherwise."""
    license_secret_arn: pulumi.Input[str]
    """ARN of the secret in AWS Secrets Manager that holds the license."""
    tls_certificate_secret_arn: pulumi.Input[str]
    """ARN of the secret that holds the certificate chain."""
    tls_private_key_secret_arn: pulumi.Input[str]
    """ARN of the secret that holds the certificate's private key."""
    admin_password_secret_arn: pulumi.Input[str]
    """ARN of the secret that holds the Admin Console's password; empty when there is none."""
    kms_key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts secrets and bucket. Its policy must leave it to IAM who decrypts."""


class BootstrapSpecArgs(TypedDict):
    """What a BootstrapInstance is like, wherever it stands. What counts for the next host begins to count when the host
    is removed and made again."""

    ubuntu_release: NotRequired[str]
    """Ubuntu LTS release, "24.04" (default), "22.04" or "20.04"; its newest image is taken when the host is made."""
    instance_type: NotRequired[str]
    """EC2 type with an x86 processor; "t3.micro" by default. A change stops the host for a minute."""
    disk_size_gib: NotRequired[int]
    """Size in GiB of the encrypted gp3 disk; 20 by default. Counts for the next host."""
    ssh: NotRequired[BootstrapSshArgs]
    """Lets named networks in over SSH and to the Admin Console, and gives the host a public address that it keeps when
    it stops. None by default: then Session Manager is the only way in. Adding or removing it makes a new host."""
    run_installer: NotRequired[bool]
    """Runs the vendor's installer at first boot; false by default: then the host waits for somebody to do it.
    Where the product is in the cluster already, nothing runs. Counts for the next host."""
    installer_timeout_minutes: NotRequired[int]
    """Minutes after which an installer that is not done has failed; 60 by default. Counts for the next host."""
    supporting_software: NotRequired[list[str]]
    """What the host installs into the cluster beforehand, of "cert-manager" and "istio"; none by default. Ask the
    vendor whether the installation plan expects it. Counts for the next host."""
    tools: NotRequired[list[ToolArgs]]
    """Other versions or digests of the host's tools than the pinned ones; none by default. Counts for the next
    host."""
    log_retention_days: NotRequired[int]
    """Days for which CloudWatch keeps the host's log; 90 by default."""


class BootstrapInstanceArgs(BootstrapSpecArgs):
    """Arguments of BootstrapInstance: what it is like, its cluster and its network."""

    cluster: BootstrapClusterArgs
    """The cluster that the host installs into."""
    region: str
    """AWS region of all this, e.g. "us-east-1"; that of the AWS provider."""
    vpc_id: pulumi.Input[str]
    """Id of the cluster's VPC."""
    subnet_id: pulumi.Input[str]
    """Id of the host's subnet: a private one with a way to the internet, or with `ssh` a public one. A changed subnet
    makes a new host."""
    installation: BootstrapInstallationArgs
    """Where the files of the installation are: outputs of DashInstallation and the key that it uses."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up."""
    base_domain: NotRequired[str]
    """DNS name of the installation, for the texts on the host; none by default."""
    next_steps: NotRequired[pulumi.Input[str]]
    """Text that the host shows at login; a pointer to the vendor's guide by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the host's role; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some, the host's disk and network interface included, but for files: S3 allows
    ten on an object. None by default."""


class BootstrapInstance(pulumi.ComponentResource):
    """The host that installs Dash Enterprise: an Ubuntu instance that reads the installation's files, administers this
    one cluster, and is reached through Session Manager, or over SSH from named networks. Without it in the program,
    everything of it goes, and nothing else changes."""

    instance_id: pulumi.Output[str]
    """Id of the EC2 instance."""
    role_arn: pulumi.Output[str]
    """ARN of the host's IAM role."""
    security_group_id: pulumi.Output[str]
    """Id of the host's security group."""
    status_parameter_name: pulumi.Output[str]
    """Name of the SSM parameter in which the host leaves what became of its first boot and of the installer."""
    status_command: pulumi.Output[str]
    """Command that shows this."""
    connect_command: pulumi.Output[str]
    """Command that opens a shell on the host through Session Manager, of its user ubuntu, who has files and cluster."""
    port_forward_command: pulumi.Output[str]
    """Command that brings the Admin Console to http://localhost:8800, through Session Manager."""
    restart_port_forward_command: pulumi.Output[str]
    """Command for the host itself that restarts its port-forward to the Admin Console, and how to do it by hand."""
    log_group_name: pulumi.Output[str]
    """Name of the log group in CloudWatch that holds the host's log."""
    public_dns: pulumi.Output[str]
    """Public DNS name of the host, its address where the VPC has no DNS names; empty without SSH."""
    ssh_command: pulumi.Output[str]
    """Command that opens a shell on the host over SSH; empty without SSH."""
    scp_command: pulumi.Output[str]
    """Command that copies an installer to the host over SSH; empty without SSH. The one in ~/dash-enterprise there is
    this program's, with variables and password, and needs no copying."""

    def __init__(self, name: str, args: BootstrapInstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"bootstrap host {name!r}", argument_problems(args, BootstrapInstanceArgs))
        options = bootstrap_options(
            args,
            cluster_name=args["cluster"]["name"],
            kubernetes_version=args["cluster"]["kubernetes_version"],
            region=args["region"],
            account_id=args.get("account_id", ""),
            permissions_boundary_arn=args.get("permissions_boundary_arn", ""),
            tags=args.get("tags"),
        )
        script = args["installation"]["install_script_key"]
        missing = installer_problems(options, script) if isinstance(script, str) else ()
        reject(f"bootstrap host {name!r}", [*check_bootstrap(options), *missing])

        super().__init__("eks-analytics:index:BootstrapInstance", name, {}, opts)
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)
        for warning in bootstrap_warnings(options):
            pulumi.log.warn(warning, self)

        self._log_group_name = f"/{options.cluster_name}/bootstrap"
        self._status_name = f"/{options.cluster_name}/bootstrap/status"
        log_group, status = self._log_group(), self._status()
        role, policy = self._role()
        security_group, rules = self._security_group()
        # Leaves, not components: whatever first boot uses must be there when it begins.
        ready = [log_group, status, policy, self._administrator(role), *self._files(), *rules]
        instance = self._instance(role, security_group, ready)

        self.instance_id = instance.id
        self.role_arn = role.arn
        self.security_group_id = security_group.id
        self.status_parameter_name = status.name
        self.log_group_name = log_group.name
        self.restart_port_forward_command = pulumi.Output.from_input(
            f"{RESTART_PORT_FORWARD}  # or by hand: kubectl port-forward -n plotly-system svc/kotsadm "
            f"--address {self._port_forward_address} {ADMIN_CONSOLE_PORT}:3000"
        )
        self._commands(instance, self._address(instance))
        self.register_outputs({output: getattr(self, output) for output in BootstrapInstance.__annotations__})

    @property
    def _port_forward_address(self) -> str:
        # Over SSH people reach the port itself; Session Manager forwards to the host's own loopback.
        return "0.0.0.0" if self._options.ssh else "127.0.0.1"  # noqa: S104  # the security group says who may come

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    def _named(self) -> dict[str, str]:
        return {**self._tags, "Name": HOST_NAME}

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            f"{self._label}-log",
            name=self._log_group_name,
            retention_in_days=self._options.log_retention_days,
            tags=self._tags,
            opts=self._child(),
        )

    def _status(self) -> aws.ssm.Parameter:
        return aws.ssm.Parameter(
            f"{self._label}-status",
            name=self._status_name,
            description=f"What became of {HOST_NAME}'s first boot",
            type="String",
            insecure_value="waiting for first boot",
            tags=self._tags,
            # From here on the host writes it.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["insecureValue"]),
        )

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        region = self._options.region
        account_id = (
            self._options.account_id
            or aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).account_id
        )
        role = aws.iam.Role(
            f"{self._label}-host",
            description=f"{HOST_NAME} of the EKS cluster {self._options.cluster_name}",
            assume_role_policy=json.dumps(host_trust(region)),
            permissions_boundary=self._options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            f"{self._label}-host",
            role=role.name,
            policy=pulumi.Output.all(
                account_id, self._installation(), self._args["cluster"].get("session_log_group_arn", "")
            ).apply(lambda known: json.dumps(host_policy(self._rights(*known)))),
            opts=self._child(),
        )
        return role, policy

    def _installation(self) -> pulumi.Output[dict[str, Any]]:
        return pulumi.Output.all(**self._args["installation"])

    def _rights(self, account_id: str, installation: dict[str, Any], session_log_group_arn: str) -> HostRights:
        return HostRights(
            session_log_group_arn=session_log_group_arn,
            region=self._options.region,
            account_id=account_id,
            secret_arns=[value for name, value in installation.items() if name.endswith("_secret_arn")],
            kms_key_arn=installation["kms_key_arn"],
            bucket_name=installation["bucket_name"],
            file_keys=(installation["install_script_key"], KUBECONFIG_KEY, RUN_INSTALLER_KEY, NEXT_STEPS_KEY),
            log_group_name=self._log_group_name,
            status_parameter_name=self._status_name,
        )

    def _administrator(self, role: aws.iam.Role) -> aws.eks.AccessPolicyAssociation:
        # A name alone would not wait for the cluster.
        cluster_name = pulumi.Output.all(self._options.cluster_name, self._args["cluster"]["security_group_id"]).apply(
            lambda known: known[0]
        )
        entry = aws.eks.AccessEntry(
            f"{self._label}-host",
            cluster_name=cluster_name,
            principal_arn=role.arn,
            tags=self._tags,
            opts=self._child(),
        )
        return aws.eks.AccessPolicyAssociation(
            f"{self._label}-host",
            cluster_name=cluster_name,
            principal_arn=entry.principal_arn,
            policy_arn=cluster_admin_policy_arn(self._options.region),
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=self._child(),
        )

    def _security_group(self) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
        """The host's security group, and every rule of it and for it."""
        group = aws.ec2.SecurityGroup(
            f"{self._label}-host",
            description=f"{HOST_NAME} of the EKS cluster {self._options.cluster_name}",
            vpc_id=self._args["vpc_id"],
            tags=self._named(),
            opts=self._child(),
        )
        # Names and time come from addresses that no security group filters:
        # https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
        outward: list[pulumi.Resource] = [
            aws.vpc.SecurityGroupEgressRule(
                f"{self._label}-{protocol}-{version}",
                security_group_id=group.id,
                description=f"{protocol.upper()} to where tools and images come from",
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ipv4=ANYWHERE if version == "ipv4" else None,
                cidr_ipv6=ANYWHERE_IPV6 if version == "ipv6" else None,
                tags=self._named(),
                opts=self._child(),
            )
            for protocol, port in (("https", 443), ("http", 80))
            for version in ("ipv4", "ipv6")
        ]
        cluster = aws.vpc.SecurityGroupIngressRule(
            f"{self._label}-cluster",
            security_group_id=self._args["cluster"]["security_group_id"],
            description=f"Kubernetes API from {HOST_NAME}",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            referenced_security_group_id=group.id,
            tags=self._named(),
            opts=self._child(),
        )
        return group, [*outward, cluster, *self._entrances(group)]

    def _entrances(self, group: aws.ec2.SecurityGroup) -> list[pulumi.Resource]:
        return [
            aws.vpc.SecurityGroupIngressRule(
                f"{self._label}-{port}-{re.sub('[:/]', '-', cidr)}",
                security_group_id=group.id,
                description=description,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                cidr_ipv4=None if ":" in cidr else cidr,
                cidr_ipv6=cidr if ":" in cidr else None,
                tags=self._named(),
                opts=self._child(),
            )
            for cidr in (self._options.ssh["allowed_cidrs"] if self._options.ssh else [])
            for port, description in ((22, "SSH"), (ADMIN_CONSOLE_PORT, "PortForwardAdminConsole"))
        ]

    def _files(self) -> list[pulumi.Resource]:
        """What is too large for user data, or not known to it."""
        next_steps = self._args.get("next_steps")
        if next_steps is None:
            next_steps = (
                f"This host installs Dash Enterprise into the EKS cluster {self._options.cluster_name}. "
                "The steps are in Plotly's installation guide.\n"
            )
        contents = {
            KUBECONFIG_KEY: self._args["cluster"]["kubeconfig"],
            RUN_INSTALLER_KEY: run_installer_script(),
            NEXT_STEPS_KEY: next_steps,
        }
        return [
            aws.s3.BucketObjectv2(
                f"{self._label}-{key.rpartition('/')[2]}",
                bucket=self._args["installation"]["bucket_name"],
                key=key,
                content=content,
                content_type="text/plain; charset=utf-8",
                opts=self._child(),
            )
            for key, content in contents.items()
        ]

    def _instance(
        self, role: aws.iam.Role, security_group: aws.ec2.SecurityGroup, ready: Sequence[pulumi.Resource]
    ) -> aws.ec2.Instance:
        profile = aws.iam.InstanceProfile(f"{self._label}-host", role=role.name, tags=self._tags, opts=self._child())
        template = self._launch_template()
        key_pair = self._key_pair()
        return aws.ec2.Instance(
            f"{self._label}-host",
            instance_type=self._options.instance_type,
            launch_template=aws.ec2.InstanceLaunchTemplateArgs(
                # A new host begins with the newest. But once there is a newer one than the host's own, a refresh puts
                # the number of its own here, and a replacement, for which changes are ignored too, begins with that:
                # so nothing in the template may depend on what replaces the host, such as the way in.
                id=template.id,
                version="$Latest",
            ),
            subnet_id=self._args["subnet_id"],
            vpc_security_group_ids=[security_group.id],
            iam_instance_profile=profile.name,
            associate_public_ip_address=self._options.ssh is not None,
            key_name=key_pair.key_name if key_pair else None,
            tags=self._named(),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=ready,
                # Neither a new image nor another first boot is worth a running host, with what people did on it.
                ignore_changes=["launchTemplate"],
                # Two hosts would write to one status and run two installers.
                delete_before_replace=True,
            ),
        )

    def _launch_template(self) -> aws.ec2.LaunchTemplate:
        return aws.ec2.LaunchTemplate(
            f"{self._label}-host",
            description=f"{HOST_NAME} of the EKS cluster {self._options.cluster_name}",
            image_id=f"resolve:ssm:{ubuntu_parameter(self._options.ubuntu_release)}",
            user_data=self._installation().apply(self._user_data),
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/sda1",
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3",
                        volume_size=self._options.disk_size_gib,
                        encrypted="true",
                        delete_on_termination="true",
                    ),
                )
            ],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=resource_type, tags=self._named())
                for resource_type in ("volume", "network-interface")
            ],
            tags=self._named(),
            opts=self._child(),
        )

    def _user_data(self, installation: dict[str, Any]) -> str:
        options = self._options
        key = installation["install_script_key"]
        # Again for a script that was not known before.
        reject(f"bootstrap host {self._label!r}", installer_problems(options, key))
        text = user_data(
            HostOptions(
                cluster_name=options.cluster_name,
                region=options.region,
                base_domain=self._args.get("base_domain", ""),
                bucket=installation["bucket_name"],
                install_script_key=key,
                license_secret_arn=installation["license_secret_arn"],
                tls_certificate_secret_arn=installation["tls_certificate_secret_arn"],
                tls_private_key_secret_arn=installation["tls_private_key_secret_arn"],
                admin_password_secret_arn=installation["admin_password_secret_arn"],
                status_parameter=self._status_name,
                log_group=self._log_group_name,
                tools=host_tools(options.kubernetes_version, options.tools),
                supporting_software=options.supporting_software,
                run_installer=options.run_installer,
                installer_timeout_minutes=options.installer_timeout_minutes,
            )
        )
        return base64.b64encode(text.encode()).decode()

    def _key_pair(self) -> aws.ec2.KeyPair | None:
        ssh = self._options.ssh
        if not ssh:
            return None
        return aws.ec2.KeyPair(
            f"{self._label}-host",
            key_name=ssh.get("key_name", DEFAULT_KEY_NAME),
            public_key=ssh["public_key"].strip(),
            tags=self._tags,
            # There is one of that name.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _address(self, instance: aws.ec2.Instance) -> aws.ec2.Eip | None:
        """An address that outlives a stop. AWS takes the instance's first one back then, and the provider, which reads
        `associate_public_ip_address` from the network interface, would replace a stopped host that has no other."""
        if not self._options.ssh:
            return None
        return aws.ec2.Eip(
            f"{self._label}-host", domain="vpc", instance=instance.id, tags=self._named(), opts=self._child()
        )

    def _commands(self, instance: aws.ec2.Instance, address: aws.ec2.Eip | None) -> None:
        region, ssh = f"--region {self._options.region}", self._options.ssh
        session = instance.id.apply(lambda id: f"aws ssm start-session --target {id} {region}")
        self.status_command = pulumi.Output.from_input(
            f"aws ssm get-parameter --name {self._status_name} --query Parameter.Value --output text {region}"
        )
        # Without a document it is sh, of a user who has nothing:
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-shell-config.html
        interactive = "AWS-StartInteractiveCommand --parameters 'command=[\"sudo -iu ubuntu\"]'"
        document = pulumi.Output.from_input(self._args["cluster"].get("session_document_name", ""))
        self.connect_command = pulumi.Output.all(session, document).apply(
            lambda known: f"{known[0]} --document-name {known[1] or interactive}"
        )
        self.port_forward_command = session.apply(
            lambda command: (
                f"{command} --document-name AWS-StartPortForwardingSession "
                f"--parameters portNumber={ADMIN_CONSOLE_PORT},localPortNumber={ADMIN_CONSOLE_PORT}"
            )
        )
        if not ssh or not address:
            self.public_dns = self.ssh_command = self.scp_command = pulumi.Output.from_input("")
            return
        key = f"-i ~/.ssh/{ssh.get('key_name', DEFAULT_KEY_NAME)}.pem"
        self.public_dns = pulumi.Output.all(instance.public_dns, address.public_dns, address.public_ip).apply(
            lambda names: names[1] if names[0] else names[2] or ""
        )
        self.ssh_command = self.public_dns.apply(lambda host: f"ssh {key} ubuntu@{host}")
        self.scp_command = self.public_dns.apply(
            lambda host: f"scp {key} path/to/installation/plan/install_de_aws.sh ubuntu@{host}:~"
        )


def bootstrap_options(
    args: BootstrapSpecArgs,
    *,
    cluster_name: str,
    kubernetes_version: str,
    region: str,
    account_id: str = "",
    permissions_boundary_arn: str = "",
    tags: Mapping[str, str] | None = None,
) -> BootstrapOptions:
    """The plain arguments, of a host in that place."""
    known = {field.name for field in fields(BootstrapOptions)}
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in known}
    # A number that came through the plugin is a float.
    plain |= {name: int(plain[name]) for name in _NUMBERS if name in plain}
    plain |= {"cluster_name": cluster_name, "kubernetes_version": kubernetes_version, "region": region}
    plain |= {"account_id": account_id, "permissions_boundary_arn": permissions_boundary_arn, "tags": tags or {}}
    return BootstrapOptions(**plain)
