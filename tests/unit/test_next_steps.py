"""The steps after the deployment: complete, in the guide's order, and without anything secret."""

from dataclasses import replace

import pytest

from eks_analytics.capacity import SystemLimits
from eks_analytics.next_steps import InstallationPlan, next_steps

PLAN = InstallationPlan(
    base_domain="dash.example.com",
    stack="dev",
    cluster_name="dash-dev",
    connect_command="aws ssm start-session --target i-1 --document-name AWS-StartInteractiveCommand",
    status_command="aws ssm get-parameter --name /dash-dev/bootstrap/status --region eu-west-3",
    port_forward_command="aws ssm start-session --target i-1",
    system_limits=SystemLimits(pods=420, volumes=57),
    uses_route53=True,
)


def text(plan: InstallationPlan) -> str:
    return "\n".join(next_steps(plan))


def test_the_steps_come_in_the_order_in_which_they_must_be_done() -> None:
    steps = text(PLAN)
    marks = [
        *("bash install_de_aws.sh", "Forwarding from ... -> 3000", "ADMIN_PASSWORD", "start-session", "license"),
        *("TLS certificate chain", "preflight", "Missing or Unavailable", "operations dns discover", "pulumi up"),
        *("https://admin-dash.example.com", "Ready", "https://auth-dash.example.com", "realm Dash", "role admin"),
        *("client dash", "licensed_user", "System Limits", "420 pods and 57 volumes", "bootstrap.enabled: false"),
    ]
    position = 0
    for mark in marks:
        assert mark in steps[position:], f"{mark} is not behind what comes before it"
        position = steps.index(mark, position)
    assert [line[0] for line in next_steps(PLAN) if line[0] != " "] == list("123456789")


def test_whoever_installs_by_hand_is_told_the_two_answers() -> None:
    assert "(press Enter)" in text(PLAN)
    assert "(answer y)" in text(PLAN)


def test_whoever_installs_by_hand_connects_and_runs_the_script_that_has_the_password() -> None:
    lines = next_steps(PLAN)
    begin = lines.index(f"     {PLAN.connect_command}")
    assert lines[begin + 1] == "     cd ~/dash-enterprise && bash install_de_aws.sh"
    assert "a copy from the plan's folder has not" in lines[begin + 2]


def test_on_the_host_itself_nobody_is_told_to_connect() -> None:
    steps = next_steps(replace(PLAN, connect_command=""))
    assert steps[:2] == [
        "1. Run the installer on the bootstrap host of dash-dev:",
        "     cd ~/dash-enterprise && bash install_de_aws.sh",
    ]


def test_the_log_of_first_boot_is_named() -> None:
    for plan in (PLAN, replace(PLAN, run_installer=True)):
        assert "/var/log/cloud-init-output.log" in text(plan)


def test_a_host_that_installs_by_itself_is_watched() -> None:
    steps = text(replace(PLAN, run_installer=True))
    assert "bash install_de_aws.sh" not in steps
    assert f"     {PLAN.status_command}\n" in steps
    assert "Forwarding from ... -> 3000" in steps


@pytest.mark.parametrize(("chosen", "asks"), [((), True), (("cert-manager",), False)])
def test_plotly_is_asked_about_supporting_software_unless_it_was_chosen(chosen: tuple[str, ...], asks: bool) -> None:
    steps = text(replace(PLAN, supporting_software=chosen))
    assert ("Ask Plotly; where none does" in steps) == asks
    assert ("applied cert-manager to the cluster" in steps) == bool(chosen)


def test_lost_passwords_are_found_again() -> None:
    assert "kubectl kots reset-password plotly-system" in text(PLAN)
    assert "kubectl get secret keycloak-secrets -n plotly-system" in text(PLAN)
    assert "Do not change it in Keycloak's own interface" in text(PLAN)


def test_without_route_53_all_seven_records_are_listed() -> None:
    steps = text(replace(PLAN, uses_route53=False))
    for prefix in ("api", "ws", "git", "registry", "auth", "admin"):
        assert f"  {prefix}-dash.example.com -> dash.example.com" in steps
    assert "dash.example.com -> the load balancer's host name, with a final dot" in steps
    assert "kubectl get service ingress-nginx-controller -n plotly-system" in steps


def test_records_that_exist_are_not_asked_for() -> None:
    steps = text(replace(PLAN, records_made=True))
    assert "discover" not in steps
    assert "Wait until dash.example.com resolves" in steps


def test_without_a_port_forward_the_admin_console_has_its_address() -> None:
    steps = text(replace(PLAN, port_forward_command="", admin_console_url="http://host.example.com:8800"))
    assert "     http://host.example.com:8800" in steps
    assert "workstation; meanwhile" not in steps


def test_once_the_host_is_removed_nobody_is_sent_to_it() -> None:
    gone = next_steps(replace(PLAN, has_host=False, records_made=True))
    assert "The bootstrap host is removed" in gone[0]
    assert not [line for line in gone if "install_de_aws.sh" in line or "localhost" in line or "enabled: false" in line]
    assert [line[0] for line in gone if line[0] != " "] == list("123")


def test_records_that_are_left_are_named_instead_of_said_to_exist() -> None:
    steps = text(replace(PLAN, records_left="The record of dash.example.com is switched off."))
    assert "is switched off" in steps
    assert "seven DNS records exist" not in steps
