"""Signs the requests of its standard input with botocore, and prints what a client would send."""

import json
import sys
from urllib.parse import quote, urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

given = json.load(sys.stdin)
answers = []
for case in given["requests"]:
    credentials = Credentials(given["accessKeyId"], given["secretAccessKey"], case.get("sessionToken") or None)
    pairs = []
    for name, values in (case.get("query") or {}).items():
        for value in values if isinstance(values, list) else [values]:
            pairs.append(quote(name, safe="-_.~") + "=" + quote(value, safe="-_.~"))
    url = "https://" + case["host"] + case["path"] + ("?" + "&".join(pairs) if pairs else "")
    request = AWSRequest(method=case["method"], url=url, headers=case.get("headers") or {}, data=case.get("body") or None)
    if case.get("presign"):
        SigV4QueryAuth(credentials, "execute-api", given["region"], expires=60).add_auth(request)
    else:
        SigV4Auth(credentials, "execute-api", given["region"]).add_auth(request)
    parts = urlsplit(request.url)
    headers = {"host": case["host"], **{name.lower(): value for name, value in request.headers.items()}}
    answers.append({"target": parts.path + ("?" + parts.query if parts.query else ""), "headers": headers})
json.dump(answers, sys.stdout)
