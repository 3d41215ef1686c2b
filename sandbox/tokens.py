"""Type tokens as people read them."""


def short_type(token: str) -> str:
    """aws:ec2/routeTable:RouteTable → aws.ec2.RouteTable."""
    if "/" not in token:
        return token
    package, module, name = token.split(":")
    return f"{package}.{module.split('/')[0]}.{name}"
