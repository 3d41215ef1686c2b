"""The policy pack: `pulumi preview --policy-pack policies`; `make preview` and `make up` run it by themselves."""

from pulumi_policy import PolicyPack

from pack.configuration import from_pulumi
from pack.policies import policies
from rules import RULES

PolicyPack("eks-analytics", policies(RULES, from_pulumi(RULES)))
