"""Calls the control plane with boto3, an operation for each line of standard
input, and prints a line with the outcome of each.

    python3 operations.py ENDPOINT

A line in is {"operation":"CreateApi","input":{...}}, a line out {"output":{...}}
or {"status":404,"error":"NotFoundException"}. The credentials are those of the
environment.
"""

import json
import re
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client = boto3.client(
    "apigatewayv2", endpoint_url=sys.argv[1], config=Config(retries={"total_max_attempts": 1})
)


def outcome(operation, input):
    method = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())
    try:
        output = method(**input)
    except ClientError as error:
        response = error.response
        return {"status": response["ResponseMetadata"]["HTTPStatusCode"], "error": response["Error"]["Code"]}
    del output["ResponseMetadata"]
    return {"output": output}


for line in sys.stdin:
    print(json.dumps(outcome(**json.loads(line)), default=str), flush=True)
