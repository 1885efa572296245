import hashlib
import time

ZEROS = bytes(1 << 20)


def echo(event, context):
    return {"statusCode": 200, "body": event["body"]}


def compute(event, context):
    """Needs a processor for a few milliseconds."""
    hashlib.sha256(ZEROS).digest()
    return {"statusCode": 200, "body": event["body"]}


def wait(event, context):
    time.sleep(0.05)
    return {"statusCode": 200, "body": event["body"]}
