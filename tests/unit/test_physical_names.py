"""Names on AWS: that they fit, whatever a component is called."""

from eks_analytics import karpenter, load_balancer_controller
from eks_analytics.karpenter_policies import INTERRUPTIONS
from eks_analytics.physical_names import component_name_problems, room_for_name, shortened
from settings.values import LONGEST_CLUSTER_NAME


def test_suffix_and_what_pulumi_adds_take_room_from_the_name() -> None:
    assert room_for_name(64) == 56
    assert room_for_name(64, "-node", "-aws-ebs-csi-driver") == 37


def test_a_name_that_fits_is_left_alone() -> None:
    assert shortened("analytics", 9) == "analytics"


def test_a_longer_one_is_cut_and_stays_unique() -> None:
    one, other = (shortened(f"analytics-of-the-whole-company-{place}", 20) for place in ("east", "west"))
    assert len(one) == len(other) == 20
    assert one != other
    assert one.startswith("analytics-of")
    assert shortened("analytics-of-the-whole-company-east", 20) == one


def test_of_a_component_whose_names_would_not_fit_the_longest_is_told() -> None:
    assert list(component_name_problems("x" * 20, 20)) == []
    (problem,) = component_name_problems("x" * 21, 20)
    assert (problem.input, problem.remedy) == ("name", "shorten it to 20")


def test_the_controllers_of_the_longest_cluster_name_fit() -> None:
    assert LONGEST_CLUSTER_NAME + len("-karpenter") <= karpenter.LONGEST_COMPONENT_NAME
    assert LONGEST_CLUSTER_NAME + len("-load-balancers") <= load_balancer_controller.LONGEST_COMPONENT_NAME
    longest = max(INTERRUPTIONS, key=len)
    assert len("x" * karpenter.LONGEST_COMPONENT_NAME + f"-{longest}-1234567") == 64
