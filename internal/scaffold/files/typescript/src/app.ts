// Answers every message with its text, and pushes one when asked to.

import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import type { APIGatewayProxyResultV2, APIGatewayProxyWebsocketEventV2 } from "aws-lambda";

export async function handler(event: APIGatewayProxyWebsocketEventV2): Promise<APIGatewayProxyResultV2> {
  switch (event.requestContext.routeKey) {
    case "$connect": // any other status keeps the client out
    case "$disconnect":
      return { statusCode: 200 };
    case "push":
      await push(event, `pushed to ${event.requestContext.connectionId}`);
      return { statusCode: 200 };
    default:
      return { statusCode: 200, body: `you said ${event.body ?? ""}` };
  }
}

/** Sends a text to a connection. It may be done from anywhere, at any time. */
async function push({ requestContext }: APIGatewayProxyWebsocketEventV2, text: string): Promise<void> {
  const client = new ApiGatewayManagementApiClient({
    endpoint: `https://${requestContext.domainName}/${requestContext.stage}`,
  });
  await client.send(new PostToConnectionCommand({ ConnectionId: requestContext.connectionId, Data: text }));
}
