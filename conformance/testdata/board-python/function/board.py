import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event, context):
    request = event["requestContext"]
    return {"$connect": connect, "$disconnect": disconnect, "publish": publish}[request["routeKey"]](event, request)


def connect(event, request):
    parameters = event.get("queryStringParameters") or {}
    table.put_item(Item={"connectionId": request["connectionId"], "name": parameters.get("name", "someone")})
    return {"statusCode": 200}


def disconnect(event, request):
    gone = table.delete_item(Key={"connectionId": request["connectionId"]}, ReturnValues="ALL_OLD").get("Attributes")
    if gone:  # nobody found the connection gone before us
        # The host that the client used.
        post_to_all(f"https://{request['domainName']}/{request['stage']}", {"left": gone["name"]})
    return {"statusCode": 200}


def publish(event, request):
    sender = table.get_item(Key={"connectionId": request["connectionId"]})["Item"]
    # The API's own host.
    endpoint = f"https://{request['apiId']}.execute-api.{os.environ['AWS_REGION']}.amazonaws.com/{request['stage']}"
    counts = post_to_all(endpoint, {"from": sender["name"], "text": json.loads(event["body"])["text"]})
    return {"statusCode": 200, "body": json.dumps(counts)}


def post_to_all(endpoint, notice):
    api = boto3.client("apigatewaymanagementapi", endpoint_url=endpoint)
    counts = {"delivered": 0, "removed": 0}
    for reader in table.scan(ProjectionExpression="connectionId")["Items"]:
        try:
            api.post_to_connection(ConnectionId=reader["connectionId"], Data=json.dumps(notice).encode())
            counts["delivered"] += 1
        except api.exceptions.GoneException as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 410
            table.delete_item(Key=reader)
            counts["removed"] += 1
    return counts
