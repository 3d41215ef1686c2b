"""What the vendor's installer needs at hand: license, certificate, key, password and the installer itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .iam import tls_only_bucket_policy
from .installation_checks import InstallationOptions, bucket_prefix, check_installation
from .locks import refusal
from .problems import Problem, reject
from .script_variables import SCRIPT, delivered, script_problems
from .waiting import once

KEPT_VERSIONS_DAYS = 90
SECRETS_RECOVERY_DAYS = 30


class InstallationSpecArgs(TypedDict):
    """What is installed, wherever that is."""

    base_domain: str
    """DNS name of the installation, e.g. "dash.example.com". Once applied, another one is refused."""
    license: pulumi.Input[str]
    """Content of the license file from the vendor. Becomes a Pulumi secret."""
    tls_certificate: pulumi.Input[str]
    """The certificate chain as PEM, leaf first. Becomes a Pulumi secret."""
    tls_private_key: pulumi.Input[str]
    """The certificate's unencrypted private key as PEM. Becomes a Pulumi secret."""
    admin_password: NotRequired[pulumi.Input[str]]
    """Password of the admin console on port 8800. Becomes a Pulumi secret. None by default; needed wherever the script
    assigns ADMIN_PASSWORD, as the vendor's does: what stands there is never delivered."""
    install_script: NotRequired[pulumi.Input[str]]
    """Content of the vendor's install_de_aws.sh. Becomes a Pulumi secret. None by default: then whoever runs it brings
    it along."""
    script_variables: NotRequired[dict[str, str]]
    """Values for the assignments at the top of the script, by name; no secrets. None by default."""
    confirm_base_domain_change: NotRequired[bool]
    """Confirms that the vendor supports the change of an applied base domain. False by default."""


class DashInstallationArgs(InstallationSpecArgs):
    """Arguments of DashInstallation: what is installed, and where."""

    cluster_name: str
    """Name of the EKS cluster that Dash Enterprise is installed on; all names here begin with it."""
    kms_key_arn: pulumi.Input[str]
    """ARN of the KMS key that encrypts secrets and bucket; Secrets Manager and S3 must be allowed to use it."""
    production: NotRequired[bool]
    """Keeps deleted secrets for 30 days, and a bucket that is not empty. False by default: both go at once."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some, but for the script: S3 allows ten on an object. None by default."""


class DashInstallation(pulumi.ComponentResource):
    """Files of a Dash Enterprise installation: license, certificate, key and password in AWS Secrets Manager, the
    vendor's installer with its variables in a private bucket, and a lock on the base domain."""

    base_domain: pulumi.Output[str]
    """The base domain, once it is known to be the one that was applied before."""
    bucket_name: pulumi.Output[str]
    """Name of the bucket, once it is private and encrypted."""
    bucket_arn: pulumi.Output[str]
    """ARN of the bucket."""
    install_script_key: pulumi.Output[str]
    """Key of the installer in the bucket; empty without one."""
    license_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds the license, once it does."""
    tls_certificate_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds the certificate chain, once it does."""
    tls_private_key_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds the private key, once it does."""
    admin_password_secret_arn: pulumi.Output[str]
    """ARN of the secret that holds the admin console's password, once it does; empty without one."""

    def __init__(self, name: str, args: DashInstallationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"installation {name!r}", argument_problems(args, DashInstallationArgs))
        options = installation_options(args, args["cluster_name"], args.get("tags", {}))
        reject(f"installation {name!r}", check_installation(options))

        super().__init__("eks-analytics:index:DashInstallation", name, {}, opts)
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)
        self._production = args.get("production", False)

        self.domain_lock = self._base_domain()
        self.base_domain = once(options.base_domain, [self.domain_lock])
        bucket, ready = self._bucket()
        self.bucket_name = once(bucket.bucket, ready)
        self.bucket_arn = bucket.arn
        self.install_script_key = self._install_script(bucket, ready)
        self.license_secret_arn = self._secret("license", "License", args["license"])
        self.tls_certificate_secret_arn = self._secret(
            "tls-certificate", "TLS certificate chain", args["tls_certificate"]
        )
        self.tls_private_key_secret_arn = self._secret(
            "tls-private-key", "Private key of the TLS certificate", args["tls_private_key"]
        )
        password = args.get("admin_password")
        self.admin_password_secret_arn = (
            pulumi.Output.from_input("")
            if password is None
            else self._secret("admin-password", "Password of the admin console", password)
        )
        self.register_outputs({output: getattr(self, output) for output in DashInstallation.__annotations__})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    def _base_domain(self) -> aws.ssm.Parameter:
        """What was applied, kept where the engine compares it; all that carries the domain waits for the verdict."""
        hooks = None
        if not self._args.get("confirm_base_domain_change", False):
            hooks = refusal(f"{self._label}-base-domain", applied_domain, another_domain)
        return aws.ssm.Parameter(
            f"{self._label}-base-domain",
            name=f"/{self._options.cluster_name}/base-domain",
            description="Base domain of Dash Enterprise",
            type="String",
            # Not a secret, unlike `value`: a preview shows it.
            insecure_value=self._options.base_domain,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, hooks=hooks),
        )

    def _secret(self, role: str, what: str, content: pulumi.Input[str]) -> pulumi.Output[str]:
        secret = aws.secretsmanager.Secret(
            f"{self._label}-{role}",
            name=f"{self._options.cluster_name}/dash-enterprise/{role}",
            description=f"{what} of Dash Enterprise",
            kms_key_id=self._args["kms_key_arn"],
            recovery_window_in_days=SECRETS_RECOVERY_DAYS if self._production else 0,
            tags=self._tags,
            opts=self._child(),
        )
        version = aws.secretsmanager.SecretVersion(
            f"{self._label}-{role}",
            secret_id=secret.id,
            secret_string=pulumi.Output.secret(content),
            opts=self._child(self.domain_lock),
        )
        return once(secret.arn, [version])

    def _bucket(self) -> tuple[aws.s3.Bucket, list[pulumi.Resource]]:
        """The bucket, and what must be there before something is put into it."""
        name = f"{self._label}-files"
        bucket = aws.s3.Bucket(
            name,
            bucket_prefix=bucket_prefix(self._options.cluster_name),
            force_destroy=not self._production,
            tags=self._tags,
            opts=self._child(),
        )
        ownership = aws.s3.BucketOwnershipControls(
            name,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child(),
        )
        private = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child(),
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="aws:kms", kms_master_key_id=self._args["kms_key_arn"]
                        )
                    ),
                    bucket_key_enabled=True,
                )
            ],
            opts=self._child(),
        )
        versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child(),
        )
        policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.bucket,
            policy=bucket.arn.apply(lambda arn: json.dumps(tls_only_bucket_policy(arn))),
            # S3 refuses a policy while it changes the access block of the same bucket.
            opts=self._child(private),
        )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="forget-replaced-versions-and-aborted-uploads",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=(
                        aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                            noncurrent_days=KEPT_VERSIONS_DAYS
                        )
                    ),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=7
                        )
                    ),
                )
            ],
            opts=self._child(versioning),
        )
        return bucket, [ownership, private, encryption, versioning, policy]

    def _install_script(self, bucket: aws.s3.Bucket, ready: Iterable[pulumi.Resource]) -> pulumi.Output[str]:
        script = self._args.get("install_script")
        if script is None:
            return pulumi.Output.from_input("")
        file = aws.s3.BucketObjectv2(
            f"{self._label}-install-script",
            bucket=bucket.bucket,
            key=SCRIPT,
            # People write passwords and tokens of all kinds into scripts: no state and no preview shows it.
            content=pulumi.Output.secret(script).apply(self._delivered),
            content_type="text/x-shellscript; charset=utf-8",
            opts=self._child(self.domain_lock, *ready),
        )
        return once(SCRIPT, [file])

    def _delivered(self, script: str) -> str:
        # Again for a script that was not known before.
        problems = script_problems(
            script, self._options.script_variables, admin_password=self._options.delivers_password
        )
        reject(f"installation {self._label!r}", problems)
        return delivered(script, self._options.script_variables)


def applied_domain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The base domain in the inputs of its parameter."""
    return {"base_domain": inputs.get("insecureValue")}


def another_domain(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Problem]:
    """A change of the base domain, which the vendor must support."""
    if "base_domain" in new:
        reason = (
            f"{old['base_domain']} was applied before: its certificate, its seven DNS records, Keycloak's clients and "
            "the names of images in the registry all carry it, so that the vendor must support such a change"
        )
        remedy = (
            f'write "{old["base_domain"]}" again, or ask the vendor first, and then set '
            "dash_enterprise.confirm_base_domain_change: true (the argument confirm_base_domain_change) for the change"
        )
        yield Problem("base_domain", new["base_domain"], reason, remedy)


def installation_options(args: InstallationSpecArgs, cluster_name: str, tags: Mapping[str, str]) -> InstallationOptions:
    """The plain arguments, for `check_installation`."""
    script = args.get("install_script")
    secrets = {name: args.get(name) for name in ("license", "tls_certificate", "tls_private_key", "admin_password")}
    return InstallationOptions(
        cluster_name=cluster_name,
        base_domain=args["base_domain"],
        install_script=script if isinstance(script, str) else None,
        delivers_script=script is not None,
        delivers_password=args.get("admin_password") is not None,
        script_variables=args.get("script_variables", {}),
        contents={name: content for name, content in secrets.items() if isinstance(content, str)},
        tags=tags,
    )
