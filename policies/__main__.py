"""The policy pack: `pulumi preview --policy-pack policies`; `make preview` and `make up` run it by themselves."""

from pack.host import serve
from rules import RULES

serve("eks-analytics", RULES)
