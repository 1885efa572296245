"""Answers every message with its text, and pushes one when asked to."""

import boto3


def handler(event, context):
    request = event["requestContext"]
    route = request["routeKey"]
    if route == "$connect":
        return {"statusCode": 200}  # anything else keeps the client out
    if route == "$disconnect":
        return {"statusCode": 200}
    if route == "push":
        push(request, "pushed to " + request["connectionId"])
        return {"statusCode": 200}
    return {"statusCode": 200, "body": "you said " + event.get("body", "")}


def push(request, text):
    """Sends a text to a connection. It may be done from anywhere, at any time."""
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=f"https://{request['domainName']}/{request['stage']}",
    )
    client.post_to_connection(ConnectionId=request["connectionId"], Data=text.encode())
