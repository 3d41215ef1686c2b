"""Who may speak to the embedded cloud: programs to which its owner gave the credentials, and no web page.

Every user of the machine and every page in a browser can reach a loopback port. Each request for AWS therefore carries
this cloud's random access key ID and session token (`X-Amz-Security-Token`, which all AWS SDKs send). The signature is
not verified: the token itself is the secret, and it never leaves this machine. `Host` must be the loopback address, so
that no page can rebind a name of its own to it. `Origin` and `Sec-Fetch-Site`, which browsers send and no SDK does, are
refused.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from sandbox.cloud import Credentials

_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d{8}/[^/,\s]+/([^/,\s]+)/aws4_request")
_FROM_BROWSERS = ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE")
_CLOSED = re.compile(r"/+(moto-api|_)")
"""Of the emulators themselves: they reset, read and steer them."""


def service_of(environ: Mapping[str, Any]) -> str:
    """Which service a request is signed for; empty where it is not signed."""
    found = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
    return found[2] if found else ""


def stranger(environ: Mapping[str, Any], port: int) -> Response | None:
    """The refusal of what no program of this machine sends to the cloud's own address; None for the others."""
    if environ.get("HTTP_HOST") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
        return Response(f"the embedded cloud is http://127.0.0.1:{port} and answers to no other name\n", 421)
    if any(name in environ for name in _FROM_BROWSERS):
        return Response("the embedded cloud does not speak to web pages\n", 403)
    return None


def refusal(environ: Mapping[str, Any], credentials: Credentials) -> Response | None:
    """The refusal of a request that does not carry the credentials, in the service's own form; None where it does."""
    if _CLOSED.match(environ["PATH_INFO"]):
        return Response("the emulators' own interfaces are closed\n", 404)
    key, token = _given(environ)
    if _same(key, credentials.access_key_id) and _same(token, credentials.session_token):
        return None
    code = "InvalidClientTokenId" if key or token else "MissingAuthenticationToken"
    message = (
        "The request does not carry the access key and session token of this embedded cloud. `make shell` opens a "
        "shell that has them in AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN."
    )
    if environ.get("CONTENT_TYPE", "").startswith("application/x-amz-json") or service_of(environ) == "eks":
        answer, kind = json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1"
    else:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        answer, kind = f"<ErrorResponse>{error}</ErrorResponse>", "text/xml"
    return Response(answer, 403, {"x-amzn-ErrorType": code}, content_type=kind)


def _given(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Access key ID and session token of a signed request, or of a presigned URL."""
    if header := environ.get("HTTP_AUTHORIZATION"):
        found = _CREDENTIAL.match(header)
        return found[1] if found else "", environ.get("HTTP_X_AMZ_SECURITY_TOKEN", "")
    query = {name.lower(): value for name, value in parse_qsl(environ.get("QUERY_STRING", ""))}
    # botocore still signs URLs for S3 in the older form where no other is asked for.
    key = query.get("x-amz-credential", "").partition("/")[0] or query.get("awsaccesskeyid", "")
    return key, query.get("x-amz-security-token", "")


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
