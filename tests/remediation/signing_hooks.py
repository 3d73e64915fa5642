"""Loaded by schemathesis: signs what it sends, so that it gets past the signature."""

import requests
import schemathesis

from tests.remediation.calls import headers


class Signed(requests.auth.AuthBase):
    def __call__(self, request):
        body = request.body or b""
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
        own = headers(text)
        del own["Content-Type"]
        request.headers.update(own)
        return request


schemathesis.auth.set_from_requests(Signed()).apply_to(method="POST")
